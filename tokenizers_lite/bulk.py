"""Bulk: long texts cut by numpy, where it is installed; same cuts as `pipeline.cutting`, or fewer.

Pairs of characters are looked up in a table of a million flags by a hash of
the pair. Pairs that share a slot with a joined pair are not cut, which costs a
little speed and changes no id.
"""

from __future__ import annotations

# What marks a cut.
CUT = "\0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tokenizers_lite.pipeline.cutting import Cuts

_SLOTS = 1 << 20
_FACTOR = 40503  # odd, so that pairs spread
_SURROGATES = slice(0xD800, 0xE000)
# Texts with fewer characters, or with fewer bytes a character, gain nothing.
_LENGTH = 256
_BYTES_A_CHARACTER = 2
# Characters of such texts before the tables are made, and before numpy is imported for them.
_PATIENCE = 30_000
_IMPORT_PATIENCE = 150_000


class Bulk:
    """Says which texts to cut by numpy, and cuts them.

    Args:
        cuts: makes the cuts of the tokenizer.
    """

    def __init__(self, cuts: Callable[[], Cuts]) -> None:
        self._cuts = cuts
        self._met = 0
        self._table: PairFlags | None = None
        self._off = False

    def wants(self, text: str) -> bool:
        """Tell whether `parts` is ready and pays for a text."""
        if self._off or len(text) < _LENGTH or text.isascii():
            return False
        if len(text.encode()) < _BYTES_A_CHARACTER * len(text) or CUT in text:
            return False
        return self._table is not None or self._prepare(len(text))

    def _prepare(self, size: int) -> bool:
        import sys

        self._met += size
        if self._met < (_PATIENCE if "numpy" in sys.modules else _IMPORT_PATIENCE):
            return False
        try:
            import numpy as np
        except ImportError:
            self._off = True
            return False
        cuts = self._cuts()
        # Characters of fragile bytes would have to be kept with their neighbours.
        self._off = any(0x80 <= byte < 0xF0 for byte in cuts.fragile)
        if not self._off:
            self._table = PairFlags(np, cuts)
        return not self._off

    def parts(self, text: str) -> list[str]:
        """Cut a text that is wanted; `CUT` in it cuts too."""
        assert self._table is not None
        return self._table.parts(text)


class PairFlags:
    """Joined pairs as flags in a table, and characters beside which nothing is cut."""

    def __init__(self, np: Any, cuts: Cuts) -> None:
        self.np = np
        # UTF-16: halves of a character beyond U+FFFF stay with all their neighbours.
        self.after = np.zeros(1 << 16, bool)
        self.before = np.zeros(1 << 16, bool)
        for flags in (self.after, self.before):
            flags[_SURROGATES] = True
            flags[0] = True
            flags[: 0x80 if cuts.by_bytes else 1] = True
        pairs = []
        for pair in cuts.joined:
            left, right = map(ord, pair)
            if 0xDC80 <= left < 0xDD00 and 0xDC80 <= right < 0xDD00:
                self._keep_lead(right - 0xDC00)
            elif 0xDC80 <= right < 0xDD00:
                self.after[min(left, 0xFFFF)] |= left <= 0xFFFF
            elif 0xDC80 <= left < 0xDD00:
                self.before[min(right, 0xFFFF)] |= right <= 0xFFFF
            elif left <= 0xFFFF and right <= 0xFFFF:
                pairs.append(pair)
        units = np.frombuffer("".join(pairs).encode("utf-16-le"), np.uint16).astype(np.uint32)
        self.joined = np.zeros(_SLOTS, bool)
        self.joined[self._slots(units[::2], units[1::2])] = True

    def _keep_lead(self, lead: int) -> None:
        """Never cut before characters whose first byte is `lead` (a continuation byte is none's)."""
        if 0xC2 <= lead < 0xE0:
            self.before[(lead & 0x1F) << 6 : ((lead & 0x1F) + 1) << 6] = True
        elif 0xE0 <= lead < 0xF0:
            self.before[(lead & 0x0F) << 12 : ((lead & 0x0F) + 1) << 12] = True

    def _slots(self, left: Any, right: Any) -> Any:
        return (left * self.np.uint32(_FACTOR) + right) & self.np.uint32(_SLOTS - 1)

    def parts(self, text: str) -> list[str]:
        """Cut a text between all pairs that are not joined, and at `CUT`."""
        np = self.np
        units: Any = np.frombuffer(text.encode("utf-16-le"), np.uint16)
        left, right = units[:-1], units[1:]
        cut = self.joined[self._slots(left.astype(np.uint32), right)]
        cut |= self.after[left]
        cut |= self.before[right]
        np.logical_not(cut, out=cut)
        places = np.arange(len(units))
        places[1:] += np.cumsum(cut)
        spread = np.zeros(int(places[-1]) + 1, np.uint16)
        spread[places] = units
        marked: str = spread.tobytes().decode("utf-16-le")
        return marked.split(CUT)
