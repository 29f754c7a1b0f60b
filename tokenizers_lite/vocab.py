"""Token text <-> id, whatever holds it: a dict from a JSON file or a mapped compact file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Vocab(Protocol):
        """What models and the tokenizer need of a vocabulary."""

        def id_of(self, token: str) -> int | None:
            """Return the id of a token text, or None."""

        def token_of(self, id: int) -> str | None:  # noqa: A002 - the field's own term
            """Return the text of an id, or None."""

        def __len__(self) -> int:
            """Return the number of tokens."""


class DictVocab:
    """A vocabulary held by a dict; the other direction is built when first asked for.

    Where two texts share an id, the later one is what the id decodes to, as in
    tokenizers 0.23 (`vocab_r` is collected from `vocab`; JSON order).
    """

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self.tokens = tokens
        self.id_of = tokens.get
        self._texts: dict[int, str] | None = None

    def token_of(self, id: int) -> str | None:  # noqa: A002
        """Return the text of an id, or None."""
        if self._texts is None:
            self._texts = {i: t for t, i in self.tokens.items()}
        return self._texts.get(id)

    def __len__(self) -> int:
        return len(self.tokens)


def vocab_of(tokens: Mapping[str, int]) -> Vocab:
    """Return `tokens` itself if it already answers both ways, else a `DictVocab` around it."""
    if hasattr(tokens, "token_of"):
        return tokens  # type: ignore[return-value]
    return DictVocab(tokens)
