"""Where a text may be cut, for all of it at once: units of UTF-16 in, one flag for each two neighbours out.

Pairs are looked up in a million flags by a hash of the pair. A pair that
shares its flag with a joined one is not cut: slower, but the same ids.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tokenizers_lite.pipeline.byte_cutting import ByteCuts

_PAIR_BITS = 20  # log2 of the flags
_PAIR_FACTOR = 2654435769  # 2^32 / golden ratio
# Stands between tokens; no text that is cut here has it.
_BETWEEN = "\0"


class PairFlags:
    """Says between which units no token is that holds both.

    Args:
        np: the module numpy.
        text: all tokens, with characters that stand in no text between them.
        between: those characters' code.
    """

    def __init__(self, np: Any, text: str, between: int) -> None:
        self._np = np
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
        inside = (units[:-1] != between) & (units[1:] != between)
        self._flags = np.ones(1 << _PAIR_BITS, bool)
        self._flags[self._slots(units)[inside]] = False

    def uncrossed(self, units: Any) -> Any:
        """Return ``bool[n - 1]`` for ``uint16[n]``."""
        cut = self._flags.take(self._slots(units))
        high = (units[:-1] & 0xFC00) == 0xD800
        if high.any():  # inside a character beyond U+FFFF, even one that no token has
            cut &= ~high
        return cut

    def _slots(self, units: Any) -> Any:
        """Return the places of the flags of each two neighbours, which are read as one number."""
        np = self._np
        pairs = np.ndarray((len(units) - 1,), "<u4", units, 0, (2,))
        slots = pairs * np.uint32(_PAIR_FACTOR)
        slots >>= np.uint32(32 - _PAIR_BITS)
        return slots


class BytePairFlags(PairFlags):
    """The same for tokens of bytes, which may hold half a character next to a whole one or to another half.

    Args:
        np: the module numpy.
        cuts: the rule, character by character; its bytes must all have tokens.
    """

    def __init__(self, np: Any, cuts: ByteCuts) -> None:
        from tokenizers_lite.pipeline.byte_cutting import is_half, is_lead

        super().__init__(np, cuts.text, ord(cuts.between))
        codes = np.arange(1 << 16)
        # The last six bits of the first and the last byte of each unit's character; 64 for ASCII.
        lead = np.where(codes < 0x800, 0xC0 | codes >> 6, 0xE0 | codes >> 12) & 63
        self._lead = np.where(codes < 0x80, 64, lead).astype(np.uint8)
        self._tail = np.where(codes < 0x80, 64, codes & 63).astype(np.uint8)
        # Number of each character that stands before or after halves in tokens; 0 for others.
        before, after = sorted(cuts.before_half), sorted(cuts.after_half)
        self._before = self._numbered(before)
        self._after = self._numbered(after)
        self._whole_half = np.zeros((len(before) + 1, 65), bool)
        self._half_whole = np.zeros((65, len(after) + 1), bool)
        self._half_half = np.zeros((65, 65), bool)
        for left, right in map(tuple, cuts.joined):
            # In a text a character begins with a lead byte and ends with a byte that is none.
            if is_half(left) and is_half(right):
                self._half_half[ord(left) & 63, ord(right) & 63] |= not is_lead(left) and is_lead(right)
            elif is_lead(right):
                self._whole_half[before.index(left) + 1, ord(right) & 63] = True
            elif is_half(left) and not is_lead(left):
                self._half_whole[ord(left) & 63, after.index(right) + 1] = True

    def _numbered(self, characters: list[str]) -> Any:
        numbers = self._np.zeros(1 << 16, self._np.uint16)
        for number, character in enumerate(characters, 1):
            if character < "\U00010000":
                numbers[ord(character)] = number
        return numbers

    def uncrossed(self, units: Any) -> Any:
        """Return ``bool[n - 1]`` for ``uint16[n]``."""
        cut = super().uncrossed(units)
        cut &= ~self.meets_half(units)
        return cut

    def meets_half(self, units: Any) -> Any:
        """Return between which units a token may hold a half of one next to the other or a half of it, ``bool[n - 1]``.

        The tables are for characters up to U+FFFF; others count as such.
        """
        left, right = units[:-1], units[1:]
        tail, lead = self._tail.take(left), self._lead.take(right)
        meets = self._whole_half[self._before.take(left), lead]
        meets |= self._half_whole[tail, self._after.take(right)]
        meets |= self._half_half[tail, lead]
        surrogates = (units & 0xF800) == 0xD800
        if surrogates.any():
            meets |= surrogates[1:] | surrogates[:-1]
        return meets


def of_characters(np: Any, tokens: Iterable[str]) -> PairFlags:
    """Return the flags of a model whose symbols are characters."""
    return PairFlags(np, _BETWEEN.join(tokens), ord(_BETWEEN))
