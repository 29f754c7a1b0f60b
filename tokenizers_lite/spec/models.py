"""Spec of the models: piece -> tokens."""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Model(Record):
    """Base of all models."""


class BPE(Model):
    """Byte-pair encoding.

    `vocab` maps token text to id (text in the byte alphabet if the
    pre-tokenizer is byte-level); `merges` are pairs of token texts, best first.
    """

    vocab: Mapping[str, int]
    merges: Sequence[tuple[str, str]]
    dropout: float | None = None
    unk_token: str | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    fuse_unk: bool = False
    byte_fallback: bool = False
    ignore_merges: bool = False


class Unigram(Model):
    """Unigram language model; id is the position in `vocab`."""

    vocab: Sequence[tuple[str, float]]
    unk_id: int | None = None
    byte_fallback: bool = False


class WordLevel(Model):
    """One token a piece."""

    vocab: Mapping[str, int]
    unk_token: str = "<unk>"


class WordPiece(Model):
    """Longest match first from the left."""

    vocab: Mapping[str, int]
    unk_token: str = "[UNK]"
    continuing_subword_prefix: str = "##"
    max_input_chars_per_word: int = 100


class SentencePiece(Model):
    """A sentencepiece model file, judged by the sentencepiece library.

    Not a component of tokenizer.json: a .model file holds its own
    normalizer, user-defined pieces and tie-breaking, which no combination of
    tokenizer.json's components reproduces exactly. The spec's normalizer and
    pre-tokenizer are None then; id is the position in `pieces`.
    """

    pieces: Sequence[
        tuple[str, float, int]
    ]  # text, score, type (1 normal 2 unknown 3 control 4 user-defined 5 unused 6 byte)
    model_type: str  # "bpe" | "unigram" | "word" | "char"
    byte_fallback: bool = False
    unk_surface: str = " ⁇ "
    precompiled_charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    treat_whitespace_as_suffix: bool = False
    denormalizer_charsmap: bytes = b""  # empty: no denormalizer, the three flags below say nothing
    denormalizer_add_dummy_prefix: bool = False
    denormalizer_remove_extra_whitespaces: bool = False
    denormalizer_escape_whitespaces: bool = False
