"""Which lengths pieces can have at a place of a text, so that only those are looked up."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_REMEMBERED = 1 << 16


class PieceLengths(dict[str, tuple[int, ...]]):
    """Two characters (or the last one of a text) -> ascending lengths of the pieces that may start there.

    A trie would be exact, but takes long to build; with two characters known
    few lookups fail.

    >>> PieceLengths(["a", "ab", "abcd", "b"])["ab"]
    (1, 2, 4)
    """

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__()
        masks: dict[str, int] = {}  # bit n: a piece of n characters
        for text in texts:
            head = text[:2]
            masks[head] = masks.get(head, 0) | 1 << len(text)
        self._masks = masks

    def __missing__(self, head: str) -> tuple[int, ...]:
        masks = self._masks
        mask = masks.get(head, 0) | masks.get(head[:1], 0)
        lengths = tuple(n for n in range(1, mask.bit_length()) if mask >> n & 1)
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        self[head] = lengths
        return lengths
