"""Token text <-> id, whatever holds it: a dict from a JSON file or a mapped compact file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Protocol

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


class LookupVocab:
    """A vocabulary that looks tokens up where they lie, and is a mapping of token text -> id.

    It equals a dict of the same items and is pickled as one. Subclasses say
    how tokens are found (`id_of`, `token_of`), how many there are, and list them.
    """

    def id_of(self, token: str) -> int | None:
        """Return the id of a token text, or None."""
        raise NotImplementedError

    def token_of(self, id: int) -> str | None:  # noqa: A002
        """Return the text of an id, or None."""
        raise NotImplementedError

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield (token text, id), ids ascending."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def get(self, token: str, default: int | None = None) -> int | None:
        """Return the id of a token text, or `default`."""
        found = self.id_of(token)
        return default if found is None else found

    def __getitem__(self, token: str) -> int:
        found = self.id_of(token)
        if found is None:
            raise KeyError(token)
        return found

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and self.id_of(token) is not None

    def __iter__(self) -> Iterator[str]:
        return (token for token, _ in self.items())

    keys = __iter__

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, LookupVocab) else other)

    def __hash__(self) -> int:
        return hash(len(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (list(self.items()),)


def vocab_of(tokens: Mapping[str, int]) -> Vocab:
    """Return `tokens` itself if it already answers both ways, else a `DictVocab` around it."""
    if hasattr(tokens, "token_of"):
        return tokens  # type: ignore[return-value]
    return DictVocab(tokens)
