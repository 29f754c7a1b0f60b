"""Spelling: a piece that is not cached -> ids, for tokenizers that have met enough text to be worth the tables.

Pieces are cut where no merge can cross, and the parts are remembered too.
"""

from __future__ import annotations

from _thread import get_ident
from itertools import chain

from tokenizers_lite.models.bpe import merge
from tokenizers_lite.pipeline import Numpy, PieceCache, byte_cutting, cutting
from tokenizers_lite.pipeline.byte_cutting import BROKEN, HARD, MARKS, SOFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from tokenizers_lite.bulk import Bulk
    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.pipeline.byte_cutting import ByteCuts
    from tokenizers_lite.pipeline.cutting import Cuts

# Characters of missing pieces from which on numpy computes them faster.
TOGETHER = 300


class CharacterSpeller:
    """Spells with a model whose symbols are characters.

    Args:
        cuts: where pieces may be cut.
        merge_part: BPE of a part.
    """

    def __init__(self, cuts: Cuts, merge_part: Callable[[str], list[int]]) -> None:
        self._cuts = cuts
        self._merge_part = merge_part
        self._parts = PieceCache(merge_part)

    def spell(self, piece: str) -> list[int]:
        """Return the ids of a piece that is not empty."""
        parts = self._cuts.parts(piece)
        return self._parts.encode(parts) if len(parts) > 1 else self._merge_part(piece)


class ByteSpeller:
    """Spells with a model whose symbols are bytes.

    Args:
        cuts: where pieces may be cut.
        merge_bytes: BPE of a piece, from its bytes.
        pairs: the merges.
    """

    def __init__(self, cuts: ByteCuts, merge_bytes: Callable[[str], list[int]], pairs: Mapping[int, int]) -> None:
        self.cuts = cuts
        self._characters = cuts.characters
        self._pairs = pairs
        self._merge_bytes = merge_bytes
        self._parts = PieceCache(self._merge_characters)

    def spell(self, piece: str) -> list[int]:
        """Return the ids of a piece that is not empty."""
        if piece.isascii() or not MARKS.isdisjoint(piece):
            return self._merge_bytes(piece)
        marked = self.cuts.marked(piece)
        if BROKEN not in marked:
            return self._parts.encode(marked.replace(HARD, SOFT).split(SOFT))
        ids: list[int] = []
        for part in marked.split(HARD):
            if BROKEN in part:
                ids += self._merge_bytes(part.replace(SOFT, "").replace(BROKEN, ""))
            else:
                ids += self._parts.encode(part.split(SOFT))
        return ids

    def spell_part(self, part: str) -> list[int]:
        """Return the ids of a part that no merge can leave."""
        if part.isascii():
            return self._merge_bytes(part)
        return self._merge_characters(part) if self.cuts.is_steady(part) else self.spell(part)

    def _merge_characters(self, part: str) -> list[int]:
        """Return the ids of a part whose characters become one token each before they merge further."""
        ids = list(map(self._characters.__getitem__, part))
        return self._merge_bytes(part) if None in ids else merge(ids, self._pairs)  # type: ignore[arg-type]


class BatchCache(PieceCache):
    """Piece -> ids; pieces of a text that are missing and may be cut are computed together, by numpy.

    Args:
        known: what has been computed.
        whole: the id of a piece that is not merged (`ignore_merges`), else None.
        speller: cuts and merges pieces.
    """

    def __init__(self, known: PieceCache, whole: Callable[[str], int | None] | None, speller: ByteSpeller) -> None:
        super().__init__(known.tokenize)
        self.update(known)
        self._whole = whole
        self._speller = speller
        self._numpy = Numpy()
        self._bulk: Bulk | None = None
        # Thread -> its missing pieces, and the lists that will be their ids.
        self._waiting: dict[int, dict[str, list[int]]] = {}

    def __missing__(self, piece: str) -> list[int]:
        if piece.isascii():
            return super().__missing__(piece)
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
        pieces = list(waiting)
        if self._whole is not None:
            for piece in pieces:
                id_ = self._whole(piece)
                if id_ is not None:
                    waiting[piece][:] = [id_]
            pieces = [piece for piece in pieces if not waiting[piece]]
        found = self._together(pieces) if sum(map(len, pieces)) >= TOGETHER else None
        for piece, ids in zip(pieces, found or map(self._speller.spell, pieces), strict=True):
            waiting[piece][:] = ids
        for piece, ids in waiting.items():
            self.keep(piece, ids)

    def _together(self, pieces: list[str]) -> list[list[int]] | None:
        if self._bulk is None:
            np = self._numpy.after(sum(map(len, pieces)))
            if np is None or self._speller.cuts.fragile:
                return None
            from tokenizers_lite import bulk

            self._bulk = bulk.Bulk(np, bulk.BytePairFlags(np, self._speller.cuts), self._speller.spell_part)
        return self._bulk.encode_each(pieces)


def of_characters(model: BPE, merge_part: Callable[[str], list[int]]) -> CharacterSpeller:
    """Return the speller of a model over characters; see `pipeline.joined_characters` for what it must be like."""
    return CharacterSpeller(cutting.of_characters(model.spec.vocab), merge_part)


def of_bytes(
    model: BPE, byte_ids: Mapping[int, int | None], merge_bytes: Callable[[str], list[int]]
) -> ByteSpeller | None:
    """Return the speller of a model over bytes, None if its ids do not tell its tokens apart.

    Args:
        model: its merges are taken into a dict if they are not in one.
        byte_ids: id of each byte, None for a byte that leaves nothing.
        merge_bytes: BPE of a piece.
    """
    vocab: Any = model.spec.vocab
    if hasattr(vocab, "raws"):
        tokens = dict(enumerate(vocab.raws()))
    else:
        tokens = dict(zip(vocab.values(), byte_cutting.token_bytes(vocab), strict=True))
        if len(tokens) < len(vocab):
            return None
    pairs: Any = model.whole_pairs()
    return ByteSpeller(byte_cutting.ByteCuts(tokens, pairs, byte_ids), merge_bytes, pairs)
