"""Byte-level text by numpy: long texts at once, and pieces that a cache misses together."""

from __future__ import annotations

from _thread import get_ident
from itertools import chain

from tokenizers_lite.models.bpe import CACHE_PIECE
from tokenizers_lite.pipeline import BULK_LENGTH, Numpy, PieceCache, spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tokenizers_lite.bulk import Bulk
    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.pipeline import Part
    from tokenizers_lite.pipeline.spelling import ByteSpeller

    PreTokenize = Callable[[str, bool], list[str]]

# Missing pieces of ASCII, and characters of other missing pieces, from which on numpy computes them faster.
MANY = 40
TOGETHER = 300
# One byte more than a character in so many characters: for less, a dict of pieces is faster than the word table.
_ASCII_SHARE = 4


class Together:
    """What computes the ids of much text at once; made when numpy is there and it is worth it.

    Args:
        model: the model.
        speller: cuts and merges pieces.
        whole: the id of a piece that is not merged (`ignore_merges`), else None.
    """

    def __init__(self, model: BPE, speller: ByteSpeller, whole: Callable[[str], int | None] | None) -> None:
        self.speller = speller
        self.whole = whole
        self._model = model
        self._numpy = Numpy()
        self._bulk: Bulk | None = None
        # Pieces that may be a token and still not be merged to it.
        self._odd: frozenset[str] = frozenset()

    def bulk(self, size: int) -> Bulk | None:
        """Return what spells many pieces at once, if it can be had, after another `size` characters."""
        if self._bulk is None:
            np = self._numpy.after(size)
            if np is None:
                return None
            bulk = self.speller.bulk(np)
            if bulk is not None and self.whole is not None:
                self._odd = spelling.odd_tokens(np, self._model, bulk.merger)
            self._bulk = bulk
        return self._bulk

    def encode(self, parts: list[Part], pre_tokenize: PreTokenize) -> list[int] | None:
        """Return the ids of the parts of a text, None where there is a faster way."""
        size = _dense_size(parts)
        bulk = self.bulk(size) if size >= BULK_LENGTH else None
        return None if bulk is None else bulk.encode(self._pieces(parts, pre_tokenize))

    def encode_dense(self, texts: list[list[Part]], pre_tokenize: PreTokenize) -> dict[int, list[int]]:
        """Return index -> ids of those of many texts for which there is no faster way."""
        sizes = list(map(_dense_size, texts))
        bulk = self.bulk(sum(sizes)) if sum(sizes) >= BULK_LENGTH else None
        dense = [at for at, size in enumerate(sizes) if size]
        found = None if bulk is None else bulk.encode_many(self._pieces(texts[at], pre_tokenize) for at in dense)
        return {} if found is None else dict(zip(dense, found, strict=True))

    def _pieces(self, parts: list[Part], pre_tokenize: PreTokenize) -> Iterable[list[str] | int]:
        pieces = (part if type(part) is int else pre_tokenize(*part) for part in parts)  # type: ignore[misc]
        return chain.from_iterable(map(self._without_odd, pieces)) if self._odd else pieces

    def _without_odd(self, pieces: list[str] | int) -> Iterator[list[str] | int]:
        """Yield pieces, with the ids in the place of those that are not merged."""
        if isinstance(pieces, int) or self.whole is None or self._odd.isdisjoint(pieces):
            yield pieces
            return
        run: list[str] = []
        for piece in pieces:
            id_ = self.whole(piece) if piece in self._odd else None
            if id_ is None:
                run.append(piece)
            else:
                yield run
                yield id_
                run = []
        yield run


class BatchCache(PieceCache):
    """Piece -> ids; pieces of a text that are missing are computed together, by numpy if they are many.

    Args:
        known: what has been computed.
        together: computes them.
    """

    def __init__(self, known: PieceCache, together: Together) -> None:
        super().__init__(known.tokenize)
        self.update(known)
        self._together = together
        self._spell = together.speller.spell
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

    def encode_many(self, texts: list[list[Part]], pre_tokenize: PreTokenize) -> list[list[int]]:
        """Return the ids of the parts of each text; pieces that are missing are computed together for all of them."""
        dense = self._together.encode_dense(texts, pre_tokenize)
        rows: list[list[list[int]]] = []
        for at, parts in enumerate(texts):
            row: list[list[int]] = []
            for part in parts if at not in dense else ():
                if type(part) is int:
                    row.append([part])
                else:
                    row += map(self.__getitem__, pre_tokenize(*part))  # type: ignore[misc]
            rows.append(row)
        waiting = self._waiting.pop(get_ident(), None)
        if waiting:
            self._fill(waiting)
        return [dense[at] if at in dense else list(chain.from_iterable(row)) for at, row in enumerate(rows)]

    def _fill(self, waiting: dict[str, list[int]]) -> None:
        plain: list[str] = []
        other: list[str] = []
        find_whole = self._together.whole
        for piece, ids in waiting.items():
            whole = None if find_whole is None else find_whole(piece)
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
            bulk = self._together.bulk(sum(map(len, pieces)))
            if bulk is not None and bulk.merger is not None:
                return bulk.merger.merge_each(pieces)
        return map(self._spell, pieces)

    def _spell_other(self, pieces: list[str]) -> Iterable[list[int]]:
        size = sum(map(len, pieces))
        bulk = self._together.bulk(size) if size >= TOGETHER else None
        found = None if bulk is None else bulk.encode_each(pieces)
        return map(self._spell, pieces) if found is None else found


def _dense_size(parts: list[Part]) -> int:
    """Return the characters of a text's parts, 0 for one that is mostly ASCII."""
    texts = [part[0] for part in parts if type(part) is tuple]
    size = sum(map(len, texts))
    return size if (sum(map(len, map(str.encode, texts))) - size) * _ASCII_SHARE >= size else 0
