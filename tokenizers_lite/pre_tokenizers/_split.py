"""Split: cut a text at the matches of a pattern."""

from __future__ import annotations

import re

from tokenizers_lite.pre_tokenizers._base import MAX, Splitter
from tokenizers_lite.pre_tokenizers._behaviors import arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite.patterns import SplitPattern

    Cutter = Callable[[str], list[str]]


# Most patterns of tokenizers match all there is, which is cheap to try and to
# verify; after this many failures the gaps are asked for at once.
_MISSES = 16


class Split(Splitter):
    """Cuts at the matches of a pattern; the behaviour says what becomes of them."""

    def __init__(self, pattern: SplitPattern, behavior: str, invert: bool) -> None:
        self._pattern = pattern
        self._behavior = behavior
        self._invert = invert
        self._cutters: dict[int, Cutter] = {}

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pieces of a text start and end."""
        return arrange(self._pattern.split(text), self._behavior, self._invert)

    def cutter(self, limit: int) -> Cutter:
        """Return `pieces` for texts up to a limit."""
        found = self._cutters.get(limit)
        if found is None:
            found = self._cutters[limit] = self._cutter(limit)
        return found

    def _cutter(self, limit: int) -> Cutter:
        """Choose a function of `re` that gives the pieces without a look at each match."""
        if self._pattern.min_length == 0 or self._behavior not in ("Isolated", "Removed"):
            return super().cutter(limit)
        if limit == MAX:
            return self._pattern.pieces if self._behavior == "Isolated" else super().cutter(limit)
        regex = self._pattern.regex(limit)
        if regex.groups:
            return super().cutter(limit)
        if self._behavior == "Isolated":
            return _isolating(regex)
        return regex.findall if self._invert else _removing(regex)


def _isolating(regex: re.Pattern[str]) -> Cutter:
    """Return a function that gives matches and gaps."""
    findall = regex.findall
    both: Cutter = re.compile(f"({regex.pattern})", regex.flags).split
    misses = 0

    def cut(text: str) -> list[str]:
        nonlocal misses
        if misses < _MISSES:
            found: list[str] = findall(text)
            if sum(map(len, found)) == len(text):
                return found
            if not found:
                return [text]
            misses += 1
        return list(filter(None, both(text)))

    return cut


def _removing(regex: re.Pattern[str]) -> Cutter:
    """Return a function that gives gaps only."""
    split = regex.split
    return lambda text: list(filter(None, split(text)))
