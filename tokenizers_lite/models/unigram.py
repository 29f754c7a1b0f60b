"""Unigram language model: a piece of text -> ids by the best path.

Semantics are those of tokenizers 0.23.3 (`models/unigram/model.rs`,
encode_optimized and tokenize): the path with the highest sum of scores, the
earliest found of equal ones; runs of unknown characters become one token.
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError, VocabError
from tokenizers_lite.models._lengths import PieceLengths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import models as spec_models

_UNK_PENALTY = 10.0  # K_UNK_PENALTY


class Unigram:
    """The running form of `spec.models.Unigram`; safe to share between threads.

    Attributes:
        vocab_size: number of entries of the vocabulary.
        surface_unk_id: the id whose tokens read as the text they stand for.

    Raises:
        SpecError: `unk_id` is outside of the vocabulary.
    """

    def __init__(self, spec: spec_models.Unigram) -> None:
        vocab, unk_id = spec.vocab, spec.unk_id
        if unk_id is not None and not 0 <= unk_id < len(vocab):
            raise SpecError("the id is outside of the vocabulary", field="model.unk_id", value=unk_id)
        self._vocab = vocab
        self.vocab_size = len(vocab)
        self.surface_unk_id = unk_id
        # Of equal texts the last one counts.
        self._ids = {token: id_ for id_, (token, _) in enumerate(vocab)}
        self._scores = {token: vocab[id_][1] for token, id_ in self._ids.items() if token}
        self._unk_score = min((score for _, score in vocab), default=float("inf")) - _UNK_PENALTY
        self._unk_token = None
        if unk_id is not None and self._ids[vocab[unk_id][0]] == unk_id:
            self._unk_token = vocab[unk_id][0]
        self._byte_ids = self._find_bytes() if spec.byte_fallback else None
        self._lengths: PieceLengths | None = None

    def tokenize(self, piece: str) -> list[int]:
        """Return the ids of a piece.

        Raises:
            VocabError: a character is unknown and the model has no `unk_id`.
        """
        return [id_ for id_, _, _ in self.tokenize_with_offsets(piece)]

    def tokenize_with_offsets(self, piece: str) -> list[tuple[int, int, int]]:
        """Return (id, start, end) in characters of the piece; the bytes of a character share its range."""
        tokens: list[tuple[int, int, int]] = []
        for start, end in self._spans(piece):
            text = piece[start:end]
            id_ = self._ids.get(text)
            if id_ is not None:
                tokens.append((id_, start, end))
                continue
            byte_ids = [self._byte_ids[byte] for byte in text.encode()] if self._byte_ids else [None]
            if None not in byte_ids:
                tokens += [(byte_id, start, end) for byte_id in byte_ids if byte_id is not None]
            else:
                tokens.append((self._unknown(text), start, end))
        return tokens

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token's text, or None."""
        return self._ids.get(token)

    def id_to_token(self, id: int) -> str | None:  # noqa: A002 - the field's own term
        """Return the text of an id, or None."""
        return self._vocab[id][0] if 0 <= id < self.vocab_size else None

    def is_surface(self, text: str) -> bool:
        """Tell whether a token of `surface_unk_id` for this text reads as the text, and is not one of its bytes."""
        return not self._byte_ids or None in [self._byte_ids[byte] for byte in text.encode()]

    def _find_bytes(self) -> list[int | None]:
        return [self._ids.get(f"<0x{byte:02X}>") for byte in range(256)]

    def _unknown(self, text: str) -> int:
        if self.surface_unk_id is None:
            raise VocabError(f"{text!r} is not in the vocabulary, and the model has no unk_id to stand for it")
        return self.surface_unk_id

    def _spans(self, piece: str) -> list[tuple[int, int]]:
        """Return where the tokens of the best path are, unknown ones in a row as one."""
        origin = self._best_path(piece)
        spans: list[tuple[int, int]] = []
        unknown_before = False  # seen from the end: the token after this one
        end = len(piece)
        while end > 0:
            start = origin[end]
            unknown = start < 0  # marked by the complement
            start = ~start if unknown else start
            if unknown and unknown_before:
                spans[-1] = (start, spans[-1][1])
            else:
                spans.append((start, end))
            unknown_before = unknown
            end = start
        spans.reverse()
        return spans

    def _best_path(self, piece: str) -> list[int]:
        """Return for each end of a token where it starts; the complement of it for an unknown one."""
        if self._lengths is None:
            self._lengths = PieceLengths(self._scores)
        n = len(piece)
        best: list[float | None] = [None] * (n + 1)
        best[0] = 0.0
        origin = [0] * (n + 1)
        scores, lengths, unk_token = self._scores, self._lengths, self._unk_token
        for start in range(n):
            here = best[start]
            assert here is not None  # every position ends a character, and so a token
            known = False
            for length in lengths[piece[start : start + 2]]:
                end = start + length
                text = piece[start:end]
                score = scores.get(text)
                if score is None or end > n:
                    continue
                known = known or length == 1
                old = best[end]
                if old is None or score + here > old:
                    best[end] = score + here
                    origin[end] = ~start if text == unk_token else start
            if not known:
                end = start + 1
                old = best[end]
                if old is None or self._unk_score + here > old:
                    self._unknown(piece[start])
                    best[end] = self._unk_score + here
                    origin[end] = ~start
        return origin
