"""Vocabularies of whole words on the index of a compact file."""

from __future__ import annotations

from tokenizers_lite.formats.compact import Index
from tokenizers_lite.vocab import LookupVocab

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers_lite.formats.compact import Container

# Lookups on mapped bytes before a dict is made, which answers faster.
_PATIENCE = 4000


class WordVocab(LookupVocab):
    """Token text -> id and back; ids have no holes."""

    def __init__(self, container: Container) -> None:
        self.size = container.length("OFFS") // 4 - 1
        self._index = Index(container, self.size)
        self._patience = _PATIENCE
        self._ids: dict[str, int] | None = None

    def id_of(self, token: str) -> int | None:
        """Return the id of a token text, or None."""
        if self._ids is not None:
            return self._ids.get(token)
        self._patience -= 1
        if self._patience < 0:
            self._ids = dict(self.items())
        return self._index.raw_id(token.encode("utf-8", "surrogatepass"))

    def token_of(self, id: int) -> str | None:  # noqa: A002
        """Return the text of an id, or None."""
        return self._index.raw(id).decode() if 0 <= id < self.size else None

    def __len__(self) -> int:
        return self.size

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield (token text, id), ids ascending."""
        raw = self._index.raw
        return ((raw(id_).decode("utf-8", "replace"), id_) for id_ in range(self.size))
