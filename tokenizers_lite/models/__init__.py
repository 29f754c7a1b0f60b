"""Models: a piece of text -> ids, one module each, named as in tokenizer.json."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from tokenizers_lite.spec import models as spec_models

    class Model(Protocol):
        """What the tokenizer needs of a model."""

        vocab_size: int

        def tokenize(self, piece: str) -> list[int]:
            """Return the ids of a piece; the list may be shared."""

        def tokenize_with_offsets(self, piece: str) -> list[tuple[int, int, int]]:
            """Return (id, start, end) in characters of the piece."""

        def token_to_id(self, token: str) -> int | None:
            """Return the id of a token text, or None."""

        def id_to_token(self, id: int) -> str | None:  # noqa: A002 - the field's own term
            """Return the text of an id, or None."""


def build(spec: spec_models.Model) -> Model:
    """Return the running form of a model's spec."""
    name = type(spec).__name__
    # Imported by need: a process uses one kind of model.
    if name == "BPE":
        from tokenizers_lite.models.bpe import BPE

        return BPE(spec)  # type: ignore[arg-type]
    if name == "Unigram":
        from tokenizers_lite.models.unigram import Unigram

        return Unigram(spec)  # type: ignore[arg-type]
    if name == "WordPiece":
        from tokenizers_lite.models.wordpiece import WordPiece

        return WordPiece(spec)  # type: ignore[arg-type]
    if name == "WordLevel":
        from tokenizers_lite.models.wordlevel import WordLevel

        return WordLevel(spec)  # type: ignore[arg-type]
    from tokenizers_lite.errors import SpecError

    raise SpecError("this model does not tokenize pieces", field="model", value=name)
