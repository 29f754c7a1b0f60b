"""Word level: a piece of text -> one id."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.vocab import vocab_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import models as spec_models


class WordLevel:
    """A word-level model: the piece's own id, else the unknown token's (models/wordlevel/mod.rs)."""

    def __init__(self, spec: spec_models.WordLevel) -> None:
        self.spec = spec
        self.vocab = vocab_of(spec.vocab)
        self.id_to_token = self.vocab.token_of
        self.token_to_id = self.vocab.id_of
        self.vocab_size = len(self.vocab)

    def tokenize(self, piece: str) -> list[int]:
        """Return the one id of a piece.

        Raises:
            SpecError: neither the piece nor the unknown token is in the vocabulary;
                tokenizers refuses such a text too.
        """
        id_ = self.token_to_id(piece)
        if id_ is None:
            id_ = self.token_to_id(self.spec.unk_token)
            if id_ is None:
                raise missing_unk(self.spec.unk_token)
        return [id_]

    def tokenize_with_offsets(self, piece: str) -> list[tuple[int, int, int]]:
        """Return (id, start, end) in characters of `piece`."""
        return [(self.tokenize(piece)[0], 0, len(piece))]


def missing_unk(token: str) -> SpecError:
    """Return the error for text that needs an unknown token the vocabulary does not have."""
    return SpecError(
        "text needs the unknown token, which is not in the vocabulary; add it or set model.unk_token to one that is",
        field="model.unk_token",
        value=token,
    )
