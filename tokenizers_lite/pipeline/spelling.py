"""Spelling: a piece that is not cached -> ids, for tokenizers that have met enough text to be worth the tables."""

from __future__ import annotations

from tokenizers_lite.models.bpe import merge
from tokenizers_lite.pipeline import PieceCache, cutting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.pipeline.cutting import Cuts


class Speller:
    """Cuts a piece where no merge can cross and merges the parts, each of which is remembered.

    Args:
        cuts: where pieces may be cut.
        merge_part: BPE of a part.
        whole: id of a piece that is taken as it is (`ignore_merges`), if the model does so.
    """

    def __init__(
        self, cuts: Cuts, merge_part: Callable[[str], list[int]], whole: Callable[[str], int | None] | None = None
    ) -> None:
        self.cuts = cuts
        self.whole = whole
        self.merge_part = merge_part
        self.parts = PieceCache(merge_part)

    def spell(self, piece: str) -> list[int]:
        """Return the ids of a piece that is not empty."""
        if self.whole is not None:
            id_ = self.whole(piece)
            if id_ is not None:
                return [id_]
        if self.cuts.by_bytes and piece.isascii():
            return self.merge_part(piece)
        parts = self.cuts.parts(piece)
        return self.parts.encode(parts) if len(parts) > 1 else self.merge_part(piece)


def of_characters(model: BPE) -> Speller:
    """Return the speller of a model over characters; see `pipeline.joined_characters` for what it must be like."""
    return Speller(cutting.of_characters(model.spec.vocab), lambda part: merge(model.symbols(part), model.pairs))


def of_bytes(
    model: BPE,
    byte_ids: Mapping[int, int | None],
    merge_part: Callable[[str], list[int]],
    whole: Callable[[str], int | None] | None,
) -> Speller:
    """Return the speller of a model over bytes."""
    vocab: Any = model.spec.vocab
    tokens = map(vocab.raw, range(vocab.size)) if hasattr(vocab, "raw") else cutting.token_bytes(vocab)
    fragile = [byte for byte in range(256) if byte_ids[byte] is None]
    return Speller(cutting.of_bytes(tokens, fragile), merge_part, whole)
