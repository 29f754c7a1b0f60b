"""WordPiece: a piece of text -> ids, longest match first from the left."""

from __future__ import annotations

from tokenizers_lite.models.wordlevel import missing_unk
from tokenizers_lite.vocab import vocab_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import models as spec_models

# Bounds of the cache of pieces: entries, and characters of one piece.
CACHE_ENTRIES = 1 << 16
CACHE_PIECE = 128


class WordPiece:
    """A WordPiece model, read-only but for its bounded cache.

    Semantics are those of tokenizers 0.23 (models/wordpiece/mod.rs): a piece of
    which any part is unknown, or that is too long, is one unknown token.
    """

    def __init__(self, spec: spec_models.WordPiece) -> None:
        self.spec = spec
        self.vocab = vocab_of(spec.vocab)
        self.id_to_token = self.vocab.token_of
        self.token_to_id = self.vocab.id_of
        self.vocab_size = len(self.vocab)
        self.cache: dict[str, list[int]] = {}
        self._longest = 0

    def tokenize(self, piece: str) -> list[int]:
        """Return the ids of a piece. The list may be shared: do not change it.

        Raises:
            SpecError: the piece needs the unknown token, which is not in the
                vocabulary; tokenizers refuses such a text too.
        """
        ids = self.cache.get(piece)
        if ids is None:
            ids = [id_ for id_, _, _ in self.tokenize_with_offsets(piece)]
            if len(piece) <= CACHE_PIECE:
                if len(self.cache) >= CACHE_ENTRIES:
                    self.cache.clear()
                self.cache[piece] = ids
        return ids

    def tokenize_with_offsets(self, piece: str) -> list[tuple[int, int, int]]:
        """Return (id, start, end) in characters of `piece`."""
        length = len(piece)
        if length > self.spec.max_input_chars_per_word:
            return self._unknown(length)
        known = self.token_to_id
        reach = length if length <= CACHE_PIECE else self._longest_token()
        tokens = []
        prefix = ""
        start = 0
        while start < length:
            end = min(start + reach, length)
            id_ = known(prefix + piece[start:end])
            while id_ is None:
                end -= 1
                if end == start:
                    return self._unknown(length)
                id_ = known(prefix + piece[start:end])
            tokens.append((id_, start, end))
            start = end
            prefix = self.spec.continuing_subword_prefix
        return tokens

    def _unknown(self, length: int) -> list[tuple[int, int, int]]:
        id_ = self.token_to_id(self.spec.unk_token)
        if id_ is None:
            raise missing_unk(self.spec.unk_token)
        return [(id_, 0, length)]

    def _longest_token(self) -> int:
        """Return the length of the longest token: no match in a long piece is longer."""
        if not self._longest:
            self._longest = max(map(len, self.spec.vocab), default=1) or 1
        return self._longest
