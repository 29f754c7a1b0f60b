"""tokenizer.json -> Spec, accepting and refusing what tokenizers 0.23.3 does."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _components, _models
from tokenizers_lite.formats._serde import (
    REQUIRED,
    Mismatch,
    boolean,
    decimal,
    string,
    struct,
    u32,
    unrepeated,
)
from tokenizers_lite.spec import AddedToken, Source, SourceFile, Spec, models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# serde_json gives up at this depth of arrays and objects, the outermost included.
_MAX_DEPTH = 127


def read(path: str) -> Spec:
    """Read a tokenizer.json, or a folder's tokenizer.json with the files beside it.

    A path to the file reads the file alone; a folder also gives `config` and the
    added tokens that only tokenizer_config.json or added_tokens.json declare
    (see `tokenizers_lite.formats.config`).

    Raises:
        SpecError: the file is not what tokenizers 0.23.3 would load.
        OSError: the file cannot be read.
    """
    import os

    if os.path.isdir(path):
        from tokenizers_lite.formats import config

        return config.apply(read(os.path.join(path, "tokenizer.json")), path)
    with open(path, "rb") as file:
        data = file.read()
    return parse(data, name=path)


def parse(data: bytes, name: str = "tokenizer.json") -> Spec:
    """Parse the bytes of a tokenizer.json; `name` is for messages and `source`.

    Raises:
        SpecError: the bytes are not what tokenizers 0.23.3 would load.
    """
    import hashlib
    import os

    digest = hashlib.sha256(data).hexdigest()
    file = SourceFile(os.path.basename(name), len(data), digest)
    try:
        with _PausedCollector():
            spec = _spec(_json(data))
    except Mismatch as err:
        raise SpecError(err.message, file=name, field=err.at, value=err.value) from None
    return spec.replace(source=Source(kind="tokenizer.json", files=(file,)))


class _PausedCollector:
    """Keep the cyclic garbage collector from walking half a million new lists again and again.

    None of them is in a cycle, and the walks take half of the time of a large file.
    """

    def __enter__(self) -> None:
        import gc

        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        import gc

        if self._was_on:
            gc.enable()


def _json(data: bytes) -> Any:
    """Parse JSON as strictly as serde_json: UTF-8 without a mark, no NaN, no lone surrogates."""
    import json

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Mismatch("not UTF-8", f"offset {err.start:#x}", err.object[err.start : err.end]) from None
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(text)
    try:
        return json.loads(text, parse_float=decimal, parse_constant=_refuse_constant, object_pairs_hook=unrepeated)
    except json.JSONDecodeError as err:
        at = f"line {err.lineno}"
        raise Mismatch(f"not JSON: {err.msg} at column {err.colno}", at, text[err.pos : err.pos + 20]) from None
    except (ValueError, RecursionError) as err:
        raise Mismatch(f"not JSON that can be read: {err}", "", text[:20]) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_lone_surrogates(text: str) -> None:
    r"""Raise for a ``\ud83d`` that no ``\ude00`` follows, or the other way round."""
    import re

    escapes = r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
    for match in re.finditer(escapes, text, re.DOTALL):
        if match[1]:
            line = text.count("\n", 0, match.start()) + 1
            raise Mismatch("half of a surrogate pair is no text", f"line {line}", match[0])


def _spec(root: Any) -> Spec:
    """Build the spec of the file's outermost object."""
    if not isinstance(root, dict):
        raise Mismatch("tokenizer.json must be a JSON object", "", type(root).__name__)
    for key in root:
        if key not in _FIELDS:
            raise Mismatch("tokenizers knows no such field and refuses the file", key, root[key])
    if root.get("version", "1.0") != "1.0":
        raise Mismatch("the only version there is is '1.0'", "version", root["version"])
    if "model" not in root:
        raise Mismatch("there is no model", "model", None)
    _check_depth(root)
    model = _models.model(root["model"], "model")
    parts: dict[str, Any] = {k: None if root.get(k) is None else parse(root[k], k) for k, parse in _PARTS.items()}
    if not isinstance(root.get("added_tokens", []), list):
        raise Mismatch("expected an array", "added_tokens", root["added_tokens"])
    declared = [_added_token(token, f"added_tokens[{i}]") for i, token in enumerate(root.get("added_tokens", ()))]
    return Spec(model=model, added_tokens=assign_ids(declared, (), model), **parts)


_PARTS = {
    "normalizer": _components.normalizer,
    "pre_tokenizer": _components.pre_tokenizer,
    "post_processor": _components.post_processor,
    "decoder": _components.decoder,
    "truncation": _components.truncation,
    "padding": _components.padding,
}
_FIELDS = frozenset(("version", "added_tokens", "model", *_PARTS))


def _check_depth(root: dict[str, Any]) -> None:
    """Raise if anything outside the two large, flat fields is nested too deeply."""
    model = root["model"]
    rest = [value for key, value in root.items() if key not in ("model", "added_tokens")]
    small = [v for k, v in model.items() if k not in ("vocab", "merges")] if isinstance(model, dict) else [model]
    if max(_depth(rest) + 1, _depth(small) + 2) > _MAX_DEPTH:
        raise Mismatch("nested too deeply", "", "more than 127 levels of arrays and objects")


def _depth(values: list[Any]) -> int:
    """Count the levels of arrays and objects in the values."""
    depth = 0
    while containers := [value for value in values if isinstance(value, (dict, list))]:
        depth += 1
        values = [item for value in containers for item in (value.values() if isinstance(value, dict) else value)]
    return depth


_added_token = struct(
    AddedToken,
    ("id", u32, REQUIRED),
    ("content", string, REQUIRED),
    ("single_word", boolean, REQUIRED),
    ("lstrip", boolean, REQUIRED),
    ("rstrip", boolean, REQUIRED),
    ("normalized", boolean, REQUIRED),
    ("special", boolean, REQUIRED),
    array=False,
    unique=True,
)


def token_ids(model: models.Model) -> Mapping[str, int]:
    """Give a model's token texts and ids."""
    if isinstance(model, models.Unigram):
        return {token: i for i, (token, _) in enumerate(model.vocab)}
    if isinstance(model, models.SentencePiece):
        return {piece[0]: i for i, piece in enumerate(model.pieces)}
    if isinstance(model, (models.BPE, models.WordLevel, models.WordPiece)):
        return model.vocab
    raise SpecError(f"{type(model).__name__} is not a model whose tokens are known", field="model")


def assign_ids(
    declared: Iterable[AddedToken], present: Iterable[AddedToken], model: models.Model
) -> tuple[AddedToken, ...]:
    """Add tokens to the present ones as tokenizers does; gives all of them in id order.

    The id a file declares does not count: a token whose text the added tokens or
    the model already have keeps that id, any other gets the next free one, which
    starts at the size of the model's vocabulary whatever its largest id is. Of
    two tokens with one text the last one's flags hold, except that a token once
    special stays special (added_vocabulary.rs, `add_tokens`).
    """
    vocab = token_ids(model)
    size = len(model.vocab) if isinstance(model, models.Unigram) else len(vocab)
    by_id = {token.id: token for token in present}
    ids = {token.content: token.id for token in by_id.values()}
    specials = {token.content for token in by_id.values() if token.special}
    highest = max(by_id, default=-1)
    next_id = highest + 1 if by_id and (highest >= size or size == 0) else size
    for token in declared:
        if not token.content:
            continue
        found = ids.get(token.content)
        if found is None:
            found = vocab.get(token.content)
        if found is None:
            found = next_id
            next_id += 1
        if token.special:
            specials.add(token.content)
        ids[token.content] = found
        by_id[found] = token if token.id == found else token.replace(id=found)
    return tuple(
        by_id[i].replace(special=True) if by_id[i].content in specials and not by_id[i].special else by_id[i]
        for i in sorted(by_id)
    )
