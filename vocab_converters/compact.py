"""Write the compact format: Spec -> one file, proven equal before it takes its name.

docs/formats/compact.md describes the bytes, `tokenizers_lite.formats.compact` reads them.
"""

from __future__ import annotations

import os
from struct import pack
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tokenizers_lite import _msgpack
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _records, compact
from tokenizers_lite.formats.compact import MAGIC, NO_PAIR, VERSION
from tokenizers_lite.spec import models
from vocab_converters._binary import numbers, replacing, sized
from vocab_converters._canonical import Canonical, lookup
from vocab_converters._start import start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers_lite.spec import AddedToken, Spec

# Fields of models that are kept in sections of their own.
_COLUMNS = ("vocab", "merges", "pieces")


def write(spec: Spec, path: str, *, index: bool = True, base: str | None = None) -> int:
    """Write `spec` to `path` and return the size in bytes.

    Args:
        spec: any spec; what BPE stores are only the merges that can happen.
        path: the file to make; it appears complete or not at all.
        index: add the index that lets Python look up mapped bytes at once.
            Without it the file is smallest, as an APK wants it.
        base: a compact file in the same folder with the same vocabulary, to
            refer to instead of storing the vocabulary again.

    Raises:
        SpecError: the spec cannot be read back equal, or `base` has another vocabulary.
    """
    canonical = Canonical.of(spec)
    if base is not None:  # a linked file shares the sections of its base as they are there
        index = compact.open_container(base).has("HASH")
    sections = _sections(spec, canonical, index)
    if base is not None:
        sections = _linked(sections, path, base)
    data = _container(sections)
    with replacing(path) as (file, temporary):
        file.write(data)
        file.flush()
        _prove(spec, compact.read(temporary), path, canonical)
    return len(data)


def dumps(spec: Spec, *, index: bool = False) -> bytes:
    """Return what `write` would put into a file."""
    return _container(_sections(spec, Canonical.of(spec), index))


def _container(sections: dict[str, bytes]) -> bytes:
    """Put the header, the section table and the sections (8-byte aligned) together."""
    at = 32 + 24 * len(sections)
    table = b""
    body = b""
    for tag, data in sections.items():
        fill = -(at + len(body)) % 8
        body += b"\0" * fill
        table += pack("<4sIQQ", tag.encode(), crc32(data), at + len(body), len(data))
        body += data
    header = MAGIC + pack("<HHIQI", VERSION, 0, len(sections), at + len(body), crc32(table)) + b"\0\0\0\0"
    return header + table + body


def _sections(spec: Spec, canonical: Canonical | None, index: bool) -> dict[str, bytes]:
    fields = {name: getattr(spec.model, name) for name in spec.model._fields if name not in _COLUMNS}
    model = {"type": type(spec.model).__name__, **_records.to_plain(fields)}
    sections = _vocabulary(spec, model, canonical, index)
    plain = {
        name: _records.to_plain(getattr(spec, name))
        for name in spec._fields
        if name not in ("model", "added_tokens") and getattr(spec, name) is not None
    }
    plain["added_tokens"] = [(t.id, t.content, _flags(t)) for t in spec.added_tokens]
    plain["model"] = model
    plain["start"] = start(spec)
    return {"SPEC": _msgpack.packb(plain), **sections}


def _flags(token: AddedToken) -> int:
    return token.single_word | token.lstrip << 1 | token.rstrip << 2 | token.normalized << 3 | token.special << 4


def _vocabulary(spec: Spec, plain: dict[str, Any], canonical: Canonical | None, index: bool) -> dict[str, bytes]:
    """Return the sections that hold the vocabulary; notes on them go into `plain`."""
    model = spec.model
    if isinstance(model, models.Unigram):
        return {"TEXT": _texts(text for text, _ in model.vocab), "SCOR": numbers("d", (s for _, s in model.vocab))}
    if isinstance(model, models.SentencePiece):
        return {
            "TEXT": _texts(piece[0] for piece in model.pieces),
            "SCOR": numbers("d", (piece[1] for piece in model.pieces)),
            "TYPE": bytes(piece[2] for piece in model.pieces),
        }
    if not isinstance(model, (models.BPE, models.WordLevel, models.WordPiece)):
        raise SpecError("this model cannot be stored", field="model", value=type(model).__name__)
    if canonical is not None:
        plain["storage"] = canonical.storage()
        return canonical.sections(index)
    tokens = dict(model.vocab.items())
    sections = {"TEXT": _texts(tokens), "IDS ": numbers("I", tokens.values())}
    if isinstance(model, models.BPE):
        sections["MERG"] = numbers("I", (tokens[side] for pair in model.merges for side in pair))
    elif index and list(tokens.values()) == list(range(len(tokens))):
        sections |= lookup([text.encode() for text in tokens], set())
    return sections


def _texts(texts: Iterable[str]) -> bytes:
    return b"".join(sized(text.encode()) for text in texts)


def _linked(sections: dict[str, bytes], path: str, base: str) -> dict[str, bytes]:
    """Replace the vocabulary by a link to the same vocabulary in another file."""
    other = compact.open_container(base)
    if os.path.dirname(os.path.abspath(base)) != os.path.dirname(os.path.abspath(path)):
        raise SpecError("a linked vocabulary must lie in the same folder", file=base)
    for tag, data in sections.items():
        if tag != "SPEC" and bytes(other.section(tag)) != data:
            raise SpecError("the file has another vocabulary, so it cannot be linked to", file=base, field=tag)
    link = {
        "file": os.path.basename(base),
        "base": other.table["BASE"][0],
        "pair": other.table[compact.pair_tag(other)][0],
    }
    return {"SPEC": sections["SPEC"], "LINK": _msgpack.packb(link)}


def _prove(spec: Spec, back: Spec, path: str, canonical: Canonical | None) -> None:
    """Compare what was read back with what was written.

    Raises:
        SpecError: they differ, which is a bug of the writer or a spec beyond the format.
    """
    for name in spec._fields:
        if name == "model":
            continue
        if getattr(spec, name) != getattr(back, name):
            raise SpecError("this field cannot be stored without a change", file=path, field=name)
    for name in spec.model._fields:
        mine, theirs = getattr(spec.model, name), getattr(back.model, name)
        if name == "vocab" and isinstance(spec.model, models.BPE):
            mine, theirs = dict(mine.items()), dict(theirs.items())
        elif name == "merges":
            continue
        elif name in ("vocab", "pieces") and not hasattr(mine, "items"):
            mine, theirs = list(map(tuple, mine)), list(map(tuple, theirs))
        if mine != theirs:
            raise SpecError("this field cannot be stored without a change", file=path, field=f"model.{name}")
    if isinstance(spec.model, models.BPE):
        _prove_merges(spec, back, path, canonical)


def _prove_merges(spec: Spec, back: Spec, path: str, canonical: Canonical | None) -> None:
    """Check that every merge of the original that can happen came back in its place, and no other."""
    merges = back.model.merges
    if canonical is None:
        equal = list(spec.model.merges) == list(merges)
    else:
        left, right = merges.vocab.pair_ids()
        pairs = [None if a == NO_PAIR else (a, b) for a, b in zip(left, right, strict=True)]
        equal = pairs == canonical.pairs and merges.vocab.rank_order() == canonical.order
    if not equal:
        raise SpecError("merges cannot be stored without a change", file=path, field="model.merges")
