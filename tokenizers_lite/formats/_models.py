"""The model of a tokenizer.json, as tokenizers 0.23.3 reads it."""

from __future__ import annotations

from itertools import chain

from tokenizers_lite.formats._serde import (
    REQUIRED,
    Mismatch,
    boolean,
    first_of,
    many,
    number,
    optional,
    pair,
    string,
    struct,
    u32,
    usize,
    variant,
)
from tokenizers_lite.spec import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any


def model(value: Any, at: str) -> models.Model:
    """Parse the model: by type, or by its fields in files older than that field (models/mod.rs)."""
    if not isinstance(value, dict):
        raise Mismatch("expected an object", at, value)
    if "type" not in value:
        return first_of("model", *_MODELS.values())(value, at)  # type: ignore[no-any-return]
    return _MODELS[variant(*_MODELS)(value["type"], f"{at}.type")](value, at)  # type: ignore[no-any-return]


def parse_vocab(value: Any, at: str) -> dict[str, int]:
    """Check an object of tokens and ids; gives it.

    Raises:
        Mismatch: an id is no integer from 0 to 2^32 - 1.
    """
    if not isinstance(value, dict):
        raise Mismatch("expected an object of tokens and ids", at, value)
    ids = value.values()
    if set(map(type, ids)) - {int} or (ids and not 0 <= min(ids) <= max(ids) < 1 << 32):
        for token, i in value.items():
            u32(i, f"{at}[{token!r}]")
    return value


def _merges(value: Any, at: str) -> list[tuple[str, str]]:
    """Parse merges, all pairs or all strings with one blank (the older form)."""
    kinds = set(map(type, value)) if isinstance(value, list) else None
    if kinds is not None and kinds <= {list}:
        if not (set(map(len, value)) <= {2} and set(map(type, chain.from_iterable(value))) <= {str}):
            many(pair(string, string))(value, at)
        return list(map(tuple, value))
    if kinds != {str}:
        raise Mismatch("expected an array of pairs or an array of strings", at, value)
    return split_merges(((merge, f"{at}[{i}]") for i, merge in enumerate(value)))


def split_merges(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Split merges written with one blank between the tokens; `lines` are (line, place) pairs."""
    merges = []
    for line, at in lines:
        if line.startswith("#version"):
            continue
        merge = line.split(" ")
        if len(merge) != 2:
            raise Mismatch("expected two tokens with one blank between them", at, line)
        merges.append((merge[0], merge[1]))
    return merges


def check_merges(vocab: Mapping[str, int], merges: list[tuple[str, str]], prefix: str | None, at: str) -> None:
    """Raise unless both parts and the result of each merge are tokens (BpeBuilder::build in bpe/model.rs)."""
    known = vocab.__contains__
    if not prefix:
        if not all(map(known, chain.from_iterable(merges))) or not all(map(known, map("".join, merges))):
            for i, merge in enumerate(merges):
                _check_merge(vocab, merge, "".join(merge), f"{at}[{i}]")
        return
    cut = len(prefix.encode())
    for i, (a, b) in enumerate(merges):
        if len(b.encode()) < cut:
            raise Mismatch("the second token is shorter than continuing_subword_prefix", f"{at}[{i}]", (a, b))
        try:
            merged = a + b.encode()[cut:].decode()
        except UnicodeDecodeError:
            raise Mismatch("continuing_subword_prefix ends inside a character", f"{at}[{i}]", (a, b)) from None
        _check_merge(vocab, (a, b), merged, f"{at}[{i}]")


def _check_merge(vocab: Mapping[str, int], merge: tuple[str, str], merged: str, at: str) -> None:
    for token in (*merge, merged):
        if token not in vocab:
            raise Mismatch(f"the merge needs the token {token!r}, which is not in the vocabulary", at, merge)


def _dropout(value: Any, at: str) -> float:
    """Parse a probability; tokenizers keeps single precision, so 1.00000001 is 1."""
    dropout = number(value, at)
    if not 0.0 <= dropout <= 1.0 + 2**-24:
        raise Mismatch("dropout must be between 0 and 1", at, value)
    return min(dropout, 1.0)


def _build_bpe(vocab: dict[str, int], merges: list[tuple[str, str]], *options: Any) -> models.BPE:
    dropout, unk, prefix, suffix, fuse, fallback, ignore = options
    check_merges(vocab, merges, prefix, "merges")
    return models.BPE(vocab, merges, dropout, unk, prefix, suffix, bool(fuse), bool(fallback), bool(ignore))


_bpe_fields = struct(
    _build_bpe,
    ("vocab", parse_vocab, REQUIRED),
    ("merges", _merges, REQUIRED),
    ("dropout", optional(_dropout), None),
    ("unk_token", optional(string), None),
    ("continuing_subword_prefix", optional(string), None),
    ("end_of_word_suffix", optional(string), None),
    ("fuse_unk", optional(boolean), None),
    ("byte_fallback", optional(boolean), None),
    ("ignore_merges", optional(boolean), None),
    array=False,
)


def _bpe(value: Any, at: str) -> models.BPE:
    try:
        return _bpe_fields(value, at)  # type: ignore[no-any-return]
    except Mismatch as err:
        raise Mismatch(err.message, err.at if err.at.startswith(at) else f"{at}.{err.at}", err.value) from None


def _build_unigram(vocab: list[tuple[str, float]], unk_id: int | None, byte_fallback: bool) -> models.Unigram:
    if unk_id is not None and unk_id >= len(vocab):
        raise Mismatch(f"unk_id is not an id of this vocabulary of {len(vocab)}", "model.unk_id", unk_id)
    return models.Unigram(vocab, unk_id, byte_fallback)


def _scored(value: Any, at: str) -> list[tuple[str, float]]:
    """Parse an array of (token, score)."""
    if not isinstance(value, list):
        raise Mismatch("expected an array of tokens with scores", at, value)
    vocab = []
    for i, item in enumerate(value):
        if type(item) is not list or len(item) != 2 or type(item[0]) is not str:
            raise Mismatch("expected a token and its score", f"{at}[{i}]", item)
        score = item[1]
        vocab.append((item[0], score if type(score) is float else number(score, f"{at}[{i}][1]")))
    return vocab


_MODELS: dict[str, Callable[[Any, str], Any]] = {
    "BPE": _bpe,
    "WordPiece": struct(
        models.WordPiece,
        ("vocab", parse_vocab, REQUIRED),
        ("unk_token", string, REQUIRED),
        ("continuing_subword_prefix", string, REQUIRED),
        ("max_input_chars_per_word", usize, REQUIRED),
        array=False,
    ),
    "WordLevel": struct(
        models.WordLevel, ("vocab", parse_vocab, REQUIRED), ("unk_token", string, REQUIRED), array=False
    ),
    "Unigram": struct(
        _build_unigram,
        ("vocab", _scored, REQUIRED),
        ("unk_id", optional(usize), None),
        ("byte_fallback", boolean, False),
        array=False,
    ),
}
