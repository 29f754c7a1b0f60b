"""Split: cut a text at the matches of a pattern."""

from __future__ import annotations

from tokenizers_lite.pre_tokenizers._base import Splitter
from tokenizers_lite.pre_tokenizers._behaviors import arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.patterns import SplitPattern


class Split(Splitter):
    """Cuts at the matches of a pattern; the behaviour says what becomes of them."""

    def __init__(self, pattern: SplitPattern, behavior: str, invert: bool) -> None:
        self._pattern = pattern
        self._behavior = behavior
        self._invert = invert

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pieces of a text start and end."""
        return arrange(self._pattern.split(text), self._behavior, self._invert)

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        return self._pattern.pieces(text) if self._behavior == "Isolated" else super().pieces(text)
