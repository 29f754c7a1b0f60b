"""Bulk: long texts -> ids by numpy; the ids are those of `pipeline.cutting` and `models.bpe`.

A text is cut to words wherever no merge can cross (`flags`), all words are
hashed at once, looked up in a table and replaced by their ids (`table`),
without an object for each; new ones are merged together (`merging`).
"""

from __future__ import annotations

from itertools import chain, pairwise

from tokenizers_lite.bulk.flags import BytePairFlags, PairFlags, of_characters
from tokenizers_lite.bulk.merging import merger
from tokenizers_lite.bulk.table import BORDER, END, MARK, WordTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from tokenizers_lite.bulk.merging import WordMerger
    from tokenizers_lite.bulk.table import Mark

__all__ = ["END", "MARK", "Bulk", "BytePairFlags", "merger", "of_characters"]


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
        text, marks, borders = _joined(parts)
        ids = self._encode(text, marks, borders)
        return None if ids is None else ids.tolist()

    def encode_many(self, texts: Iterable[Iterable[list[str] | int]]) -> list[list[int]] | None:
        """Return the ids of each of several such texts; None as `_encode`."""
        return self._split(self._encode(*_joined(chain.from_iterable([*parts, END] for parts in texts))))

    def encode_marked(self, text: str, ids: list[int]) -> list[int] | None:
        """Return the ids of a text in which each `MARK` stands for one of some ids; None as `_encode`."""
        found = self._encode(text, ids, 0)
        return None if found is None else found.tolist()

    def encode_marked_many(self, text: str, ids: list[int]) -> list[list[int]] | None:
        """Do the same for several texts in a row; the id `END` is the end of each."""
        return self._split(self._encode(text, ids, 0))

    def encode_each(self, pieces: list[str]) -> list[list[int]] | None:
        """Return the ids of each piece; None as `_encode`."""
        return self._split(self._encode(MARK.join([*pieces, ""]), [END] * len(pieces), 0))

    @staticmethod
    def _split(ids: Any) -> list[list[int]] | None:
        """Return the ids before each `END`."""
        if ids is None:
            return None
        flat = ids.tolist()
        ends = (ids == END).nonzero()[0].tolist()
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


def _joined(parts: Iterable[list[str] | int]) -> tuple[str, list[Mark], int]:
    """Return pieces and ids as one text, what its marks stand for, and how many borders it has."""
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
    return "".join(texts), marks, borders
