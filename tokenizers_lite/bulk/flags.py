"""Where a text may be cut, for all of it at once: units of UTF-16 in, one flag for each two neighbours out.

Pairs are looked up in a million flags by a hash of the pair. A pair that
shares its flag with a joined one is not cut: slower, but the same ids.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.pipeline.byte_cutting import ByteCuts

_PAIR_BITS = 20  # log2 of the flags
_PAIR_FACTOR = 2654435769  # 2^32 / golden ratio
# Stands between tokens; no text that is cut here has it.
_BETWEEN = "\0"
# Classes of units, after those of 65 bytes: halves of characters beyond U+FFFF; characters with a class of their own.
_SURROGATE, _FIRST = 65, 66


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
        lead = np.where(codes < 0x80, 64, np.where(codes < 0x800, codes >> 6, 0xE0 | codes >> 12) & 63)
        tail = np.where(codes < 0x80, 64, codes & 63)
        # Few characters stand before or after halves in tokens: they have a class each, all others that of their byte.
        before, after = sorted(cuts.before_half), sorted(cuts.after_half)
        lefts, left_bytes = _classes(np, before, tail)
        rights, right_bytes = _classes(np, after, lead)
        meets = np.zeros((len(left_bytes), len(right_bytes)), bool)
        meets[_SURROGATE] = meets[:, _SURROGATE] = True
        for left, right in map(tuple, cuts.halved):
            # In a text a character begins with a lead byte and ends with a byte that is none.
            if is_half(left) and not is_lead(left):
                if is_lead(right):
                    meets[np.ix_(left_bytes == ord(left) & 63, right_bytes == ord(right) & 63)] = True
                elif not is_half(right):
                    meets[left_bytes == ord(left) & 63, _FIRST + after.index(right)] = True
            elif not is_half(left) and is_lead(right):
                meets[_FIRST + before.index(left), right_bytes == ord(right) & 63] = True
        self._lefts, self._rights, self._meets = lefts * len(right_bytes), rights, meets.ravel()

    def uncrossed(self, units: Any) -> Any:
        """Return ``bool[n - 1]`` for ``uint16[n]``."""
        cut = super().uncrossed(units)
        cut &= ~self.meets_half(units)
        return cut

    def meets_half(self, units: Any) -> Any:
        """Return between which units a token may hold a half of one next to the other or a half of it, ``bool[n - 1]``.

        The table is for characters up to U+FFFF; halves of others count as such.
        """
        pairs = self._lefts.take(units[:-1])
        pairs += self._rights.take(units[1:])
        return self._meets.take(pairs)


def _classes(np: Any, characters: list[str], bytes_: Any) -> tuple[Any, Any]:
    """Return the class of each unit, ``int32[65536]``, and the last six bits of the byte of each class.

    Args:
        np: the module numpy.
        characters: these have classes of their own, from `_FIRST` on.
        bytes_: the last six bits of a byte of each unit; 64 for ASCII. They are the class of all other units.
    """
    classes = bytes_.astype(np.int32)
    classes[0xD800:0xE000] = _SURROGATE
    of_class = [*range(_FIRST)]
    for class_, character in enumerate(characters, _FIRST):
        found = character < "\U00010000"
        of_class.append(int(bytes_[ord(character)]) if found else _SURROGATE)
        if found:
            classes[ord(character)] = class_
    return classes, np.array(of_class)


def of_characters(np: Any, text: str) -> PairFlags:
    """Return the flags of a model whose symbols are characters; `text` is all tokens with NUL between them."""
    return PairFlags(np, text, ord(_BETWEEN))
