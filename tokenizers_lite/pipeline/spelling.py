"""Spelling: a piece that is not cached -> ids, for tokenizers that have met enough text to be worth the tables.

Pieces are cut where no merge can cross, and the parts are remembered too.
"""

from __future__ import annotations

from tokenizers_lite.models.bpe import CACHE_PIECE, merge
from tokenizers_lite.pipeline import CUT, PieceCache, byte_cutting, cutting
from tokenizers_lite.pipeline.byte_cutting import BROKEN, HARD, MARKS, SOFT
from tokenizers_lite.pipeline.merges import merges_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tokenizers_lite.bulk import Bulk
    from tokenizers_lite.bulk.merging import WordMerger
    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.pipeline.byte_cutting import ByteCuts
    from tokenizers_lite.pipeline.cutting import Cuts


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
        model: the model, with its merges in a dict.
    """

    def __init__(self, cuts: ByteCuts, merge_bytes: Callable[[str], list[int]], model: BPE) -> None:
        self.cuts = cuts
        self._characters = cuts.characters
        self._model = model
        self._pairs = model.pairs
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

    def bulk(self, np: Any) -> Bulk | None:
        """Return what spells many pieces at once, None if some byte has no token."""
        if self.cuts.fragile:
            return None
        from tokenizers_lite import bulk

        flags = bulk.BytePairFlags(np, self.cuts)
        characters = self._characters
        byte_ids: Any = [characters.byte_ids[byte] for byte in range(256)]
        merger = bulk.merger(np, self._model, characters.__getitem__, apart=flags.meets_half, byte_ids=byte_ids)
        return bulk.Bulk(np, flags, self.spell_part, merger)

    def _merge_characters(self, part: str) -> list[int]:
        """Return the ids of a part whose characters become one token each before they merge further."""
        ids = list(map(self._characters.__getitem__, part))
        return self._merge_bytes(part) if None in ids else merge(ids, self._pairs)  # type: ignore[arg-type]


def of_characters(model: BPE, merge_part: Callable[[str], list[int]]) -> CharacterSpeller:
    """Return the speller of a model over characters; see `pipeline.joined_characters` for what it must be like."""
    return CharacterSpeller(cutting.of_characters(model.joined_tokens(CUT)), merge_part)


def of_bytes(
    model: BPE, byte_ids: Mapping[int, int | None], merge_bytes: Callable[[str], list[int]]
) -> ByteSpeller | None:
    """Return the speller of a model over bytes, None if its ids do not tell its tokens apart.

    Args:
        model: its merges are taken into a dict if they are not in one.
        byte_ids: id of each byte, None for a byte that leaves nothing.
        merge_bytes: BPE of a piece.
    """
    tokens = token_bytes(model)
    if len(tokens) < model.vocab_size:
        return None
    merges = merges_of(model)
    return ByteSpeller(byte_cutting.ByteCuts(tokens, merges, byte_ids), merge_bytes, model)


def token_bytes(model: BPE) -> dict[int, bytes]:
    """Return id -> bytes of every token of a model whose tokens are in the byte alphabet."""
    vocab: Any = model.spec.vocab
    if hasattr(vocab, "raws"):
        return dict(enumerate(vocab.raws()))
    return dict(zip(vocab.values(), byte_cutting.token_bytes(vocab), strict=True))


def odd_tokens(np: Any, model: BPE, merger: WordMerger | None) -> frozenset[str]:
    """Return the texts of the tokens that are not the BPE of their bytes, and perhaps of some that are."""
    tokens = [(id_, raw) for id_, raw in token_bytes(model).items() if len(raw) > 1]
    if model.made is not None:
        odd = [raw for id_, raw in tokens if not model.made[id_]]
    elif merger is None:
        odd = [raw for _, raw in tokens]
    else:
        from tokenizers_lite.bulk.merging import AT_ONCE

        odd = [raw for _, raw in tokens if len(raw) > CACHE_PIECE]
        tokens = [(id_, raw) for id_, raw in tokens if len(raw) <= CACHE_PIECE]
        for at in range(0, len(tokens), AT_ONCE):
            ids, raws = zip(*tokens[at : at + AT_ONCE], strict=True)
            made, counts = merger.merge_bytes(raws)
            own = (counts == 1) & (made.take(counts.cumsum() - 1) == np.array(ids))
            odd += [raws[word] for word in (~own).nonzero()[0].tolist()]
    return frozenset(text for raw in odd if "\ufffd" not in (text := raw.decode("utf-8", "replace")))
