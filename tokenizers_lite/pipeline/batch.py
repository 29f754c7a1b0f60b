"""A cache that computes all pieces of a text that are missing together."""

from __future__ import annotations

from _thread import get_ident
from itertools import chain

from tokenizers_lite.models.bpe import CACHE_PIECE
from tokenizers_lite.pipeline import Numpy, PieceCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokenizers_lite.bulk import Bulk
    from tokenizers_lite.pipeline.spelling import ByteSpeller

# Missing pieces of ASCII, and characters of other missing pieces, from which on numpy computes them faster.
MANY = 40
TOGETHER = 300


class BatchCache(PieceCache):
    """Piece -> ids; pieces of a text that are missing are computed together, by numpy if they are many.

    Args:
        known: what has been computed.
        whole: the id of a piece that is not merged (`ignore_merges`), else None.
        speller: cuts and merges pieces.
        size: above all ids.
    """

    def __init__(
        self, known: PieceCache, whole: Callable[[str], int | None] | None, speller: ByteSpeller, size: int
    ) -> None:
        super().__init__(known.tokenize)
        self.update(known)
        self._whole = whole
        self._speller = speller
        self._size = size
        self._numpy = Numpy()
        self._bulk: Bulk | None = None
        # Thread -> its missing pieces, and the lists that will be their ids.
        self._waiting: dict[int, dict[str, list[int]]] = {}

    def __missing__(self, piece: str) -> list[int]:
        return self._waiting.setdefault(get_ident(), {}).setdefault(piece, [])

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """Return the ids of all pieces in a row."""
        found = list(map(self.__getitem__, pieces))
        # Lists are filled in place, so it does no harm if a signal handler encodes meanwhile, or a call is broken off.
        waiting = self._waiting.pop(get_ident(), None)
        if waiting:
            self._fill(waiting)
        return list(chain.from_iterable(found))

    def _fill(self, waiting: dict[str, list[int]]) -> None:
        plain: list[str] = []
        other: list[str] = []
        for piece, ids in waiting.items():
            whole = self._whole(piece) if self._whole is not None else None
            if whole is not None:
                ids[:] = [whole]
            else:
                (plain if piece.isascii() else other).append(piece)
        for piece, ids in zip(plain, self._spell_ascii(plain), strict=True):
            waiting[piece][:] = ids
        for piece, ids in zip(other, self._spell_other(other), strict=True):
            waiting[piece][:] = ids
        for piece, ids in waiting.items():
            self.keep(piece, ids)

    def _spell_ascii(self, pieces: list[str]) -> Iterable[list[int]]:
        if len(pieces) >= MANY and max(map(len, pieces)) <= CACHE_PIECE:
            bulk = self._prepared(sum(map(len, pieces)))
            if bulk is not None and bulk.merger is not None:
                return bulk.merger.merge_each(pieces)
        return map(self._speller.spell, pieces)

    def _spell_other(self, pieces: list[str]) -> Iterable[list[int]]:
        size = sum(map(len, pieces))
        bulk = self._prepared(size) if size >= TOGETHER else None
        found = None if bulk is None else bulk.encode_each(pieces)
        return map(self._speller.spell, pieces) if found is None else found

    def _prepared(self, size: int) -> Bulk | None:
        """Return what spells pieces together, if it can be had, after another `size` characters."""
        if self._bulk is None:
            np = self._numpy.after(size)
            if np is not None:
                self._bulk = self._speller.bulk(np, self._size)
        return self._bulk
