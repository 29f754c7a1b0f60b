"""Bulk: long texts -> ids by numpy; the ids are those of `pipeline.cutting` and `models.bpe`.

A text is cut to words wherever no merge can cross (`flags`), all words are
hashed at once, looked up in a table and replaced by their ids (`table`),
without an object for each; new ones are merged together (`merging`).
"""

from __future__ import annotations

from itertools import pairwise

from tokenizers_lite.bulk.flags import BytePairFlags, PairFlags, of_characters
from tokenizers_lite.bulk.merging import merger
from tokenizers_lite.bulk.table import BORDER, MARK, NIL, WordTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from tokenizers_lite.bulk.merging import WordMerger
    from tokenizers_lite.bulk.table import Mark

__all__ = ["Bulk", "BytePairFlags", "merger", "of_characters"]

# The mark at the end of a piece.
_END = NIL - 1


class Bulk:
    """Encodes the parts of long texts; threads may share it.

    Args:
        np: the module numpy.
        flags: where texts may be cut.
        spell: BPE of a word.
        merger: does the same for many words, if there is one.
    """

    def __init__(
        self, np: Any, flags: PairFlags, spell: Callable[[str], list[int]], merger: WordMerger | None = None
    ) -> None:
        from _thread import allocate_lock  # what `threading` would give, without importing it

        self._np = np
        self.merger = merger
        self._table = WordTable(np, flags, spell, merger)
        self._lock = allocate_lock()

    def encode(self, parts: Iterable[list[str] | int]) -> list[int] | None:
        """Return the ids of a text, given as pieces and ids of added tokens; None as `_encode`."""
        texts: list[str] = []
        marks: list[Mark] = []
        borders = 0
        for part in parts:
            if isinstance(part, int):
                texts.append(MARK)
                marks.append(part)
            else:
                borders += len(part)
                texts.append(BORDER.join([*part, ""]))
        ids = self._encode("".join(texts), marks, borders)
        return None if ids is None else ids.tolist()

    def encode_marked(self, text: str, ids: list[int]) -> list[int] | None:
        """Return the ids of a text in which each `MARK` stands for one of some ids; None as `_encode`."""
        found = self._encode(text, ids, 0)
        return None if found is None else found.tolist()

    def encode_each(self, pieces: list[str]) -> list[list[int]] | None:
        """Return the ids of each piece; None as `_encode`."""
        ids = self._encode(MARK.join([*pieces, ""]), [_END] * len(pieces), 0)
        if ids is None:
            return None
        flat = ids.tolist()
        ends = (ids == _END).nonzero()[0].tolist()
        return [flat[start + 1 : end] for start, end in pairwise([-1, *ends])]

    def _encode(self, text: str, marks: Sequence[Mark], borders: int) -> Any:
        """Return the ids of a text; None if another way has to be gone.

        That is where the text holds the characters that mean something here,
        and while another thread is in the table.
        """
        if text.count(MARK) != len(marks) or text.count(BORDER) != borders or not self._lock.acquire(blocking=False):
            return None
        try:
            return self._table.encode(text, marks)
        finally:
            self._lock.release()
