"""Write the compact format: Spec -> one file, proven equal before it takes its name.

docs/formats/compact.md describes the bytes, `tokenizers_lite.formats.compact` reads them.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_right
from itertools import accumulate, pairwise
from struct import pack
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tokenizers_lite import _msgpack
from tokenizers_lite.byte_alphabet import from_alphabet
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _records, compact
from tokenizers_lite.formats.compact import MAGIC, NO_PAIR, NONE, VERSION
from tokenizers_lite.models.bpe import BPE, NEVER
from tokenizers_lite.spec import models, normalizers, pre_tokenizers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenizers_lite.spec import AddedToken, Spec

_ID = 0xFFFFFFFF
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
    canonical = _canonical(spec)
    if base is not None:  # a linked file shares the sections of its base as they are there
        index = compact.open_container(base).has("HASH")
    sections = _sections(spec, canonical, index)
    if base is not None:
        sections = _linked(sections, path, base)
    data = _container(sections)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        _prove(spec, compact.read(temporary), path, canonical)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return len(data)


def dumps(spec: Spec, *, index: bool = False) -> bytes:
    """Return what `write` would put into a file."""
    return _container(_sections(spec, _canonical(spec), index))


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


def _canonical(spec: Spec) -> Canonical | None:
    return Canonical.of(spec) if isinstance(spec.model, models.BPE) else None


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
    plain["start"] = _start(spec)
    return {"SPEC": _msgpack.packb(plain), **sections}


def _start(spec: Spec) -> dict[str, Any]:
    """Return what lets a tokenizer start without building its components, as far as each is possible."""
    from tokenizers_lite import _automaton_build
    from tokenizers_lite.components import Components
    from tokenizers_lite.pipeline import ByteLevelBPE, CutBPE
    from vocab_converters import _steps

    start: dict[str, Any] = {}
    components = Components(spec)
    if components.frame is not None:
        start["frame"] = components.frame
    if spec.normalizer is None:
        start["normalizer"] = "none"
    elif type(spec.normalizer).__name__ in ("NFC", "NFD", "NFKC", "NFKD"):
        start["normalizer"] = "ascii"
    elif (steps := _rewriting(spec.normalizer)) is not None:
        start["normalizer"] = steps
    elif type(spec.normalizer).__name__ == "BertNormalizer" and spec.normalizer.clean_text:
        start["normalizer"] = "bert lower" if spec.normalizer.lowercase else "bert"
    plain = start.get("normalizer") in ("none", "bert", "bert lower")
    if plain and type(spec.pre_tokenizer).__name__ == "BertPreTokenizer":
        start["words"] = "bert"
    if spec.normalizer is not None and not _is_plain_change(spec.normalizer):
        start["changes"] = _steps.changes(spec.normalizer)
    # Where ids depend on origins, the quick ways do not apply.
    if components.engine is None and isinstance(spec.model, models.BPE) and not components.needs_origins:
        pipeline = components.pipeline
        if isinstance(pipeline, ByteLevelBPE):
            automata = _automaton_build.of_byte_level(spec.pre_tokenizer)
            if automata is not None:
                start["splits"] = [automaton._values() for automaton in automata]
        elif isinstance(pipeline, CutBPE):
            start["joined"] = pipeline.joined
    if "splits" not in start and spec.pre_tokenizer is not None and not _is_plain_cut(spec.pre_tokenizer):
        start["cuts"] = _steps.cuts(spec.pre_tokenizer)
    return {name: value for name, value in start.items() if value is not None}


def _is_plain_change(spec: normalizers.Normalizer) -> bool:
    """Tell whether every reader has this normalizer without tables in the file."""
    if isinstance(spec, normalizers.Sequence):
        return all(map(_is_plain_change, spec.normalizers))
    if isinstance(spec, normalizers.Replace):
        return bool(spec.pattern.text) and not spec.pattern.regex
    if isinstance(spec, normalizers.Prepend):
        return bool(spec.prepend)
    return isinstance(spec, (normalizers.NFC, normalizers.NFD, normalizers.BertNormalizer))


def _is_plain_cut(spec: pre_tokenizers.PreTokenizer) -> bool:
    """Tell whether every reader has this pre-tokenizer without tables in the file."""
    if isinstance(spec, pre_tokenizers.Split):
        return bool(spec.pattern.text) and not spec.pattern.regex
    return isinstance(spec, (pre_tokenizers.BertPreTokenizer, pre_tokenizers.Metaspace))


def _rewriting(normalizer: Any) -> list[list[str]] | None:
    """Return the steps of a normalizer that only puts texts before and in place of others, None for any other."""
    parts = normalizer.normalizers if type(normalizer).__name__ == "Sequence" else (normalizer,)
    steps = []
    for part in parts:
        kind = type(part).__name__
        if kind == "Prepend" and part.prepend:
            steps.append([part.prepend])
        elif kind == "Replace" and part.pattern.text and not part.pattern.regex:
            steps.append([part.pattern.text, part.content])
        else:
            return None
    return steps


def _flags(token: AddedToken) -> int:
    return token.single_word | token.lstrip << 1 | token.rstrip << 2 | token.normalized << 3 | token.special << 4


def _vocabulary(spec: Spec, plain: dict[str, Any], canonical: Canonical | None, index: bool) -> dict[str, bytes]:
    """Return the sections that hold the vocabulary; notes on them go into `plain`."""
    model = spec.model
    if isinstance(model, models.Unigram):
        return {"TEXT": _texts(text for text, _ in model.vocab), "SCOR": _numbers("d", (s for _, s in model.vocab))}
    if isinstance(model, models.SentencePiece):
        return {
            "TEXT": _texts(piece[0] for piece in model.pieces),
            "SCOR": _numbers("d", (piece[1] for piece in model.pieces)),
            "TYPE": bytes(piece[2] for piece in model.pieces),
        }
    if not isinstance(model, (models.BPE, models.WordLevel, models.WordPiece)):
        raise SpecError("this model cannot be stored", field="model", value=type(model).__name__)
    if canonical is not None:
        plain["storage"] = canonical.storage()
        return canonical.sections(index)
    tokens = dict(model.vocab.items())
    sections = {"TEXT": _texts(tokens), "IDS ": _numbers("I", tokens.values())}
    if isinstance(model, models.BPE):
        sections["MERG"] = _numbers("I", (tokens[side] for pair in model.merges for side in pair))
    elif index and list(tokens.values()) == list(range(len(tokens))):
        sections |= _lookup([text.encode() for text in tokens], set())
    return sections


def _texts(texts: Iterable[str]) -> bytes:
    return b"".join(_sized(text.encode()) for text in texts)


def _sized(data: bytes) -> bytes:
    length = len(data)
    out = bytearray()
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + data


def _numbers(layout: str, values: Iterable[float]) -> bytes:
    column = array(layout, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


class Canonical:
    """BPE as one merge a token: the pair that the token's own BPE ends with.

    Whenever two neighbours in the course of BPE join to a token t, the symbols
    inside have merged just as in the BPE of t alone, because no merge crossed
    its ends. So they are the last pair of that BPE, and all other merges that
    make t can never happen (docs/formats/compact.md has the argument in full).
    """

    def __init__(self, raws: list[bytes], pairs: list[tuple[int, int] | None], order: list[int]) -> None:
        self.raws = raws  # id -> stored bytes
        self.pairs = pairs  # id -> the merge that makes it
        self.order = order  # ids that merges make, best merge first
        self.byte_level = False
        self.literal: list[int] = []
        self.holes: list[int] = []

    @classmethod
    def of(cls, spec: Spec) -> Canonical | None:
        """Return the canonical form of a spec's BPE, None where the argument above does not hold."""
        model = spec.model
        assert isinstance(model, models.BPE)
        running = BPE(model)
        if running.affixes or model.dropout or not len(model.vocab):
            return None
        size = max(id_ for _, id_ in model.vocab.items()) + 1
        if size > 2 * len(model.vocab) + 1024 or size >= NO_PAIR:
            return None
        texts: list[str | None] = [None] * size
        for text, id_ in model.vocab.items():
            if texts[id_] is not None:
                return None
            texts[id_] = text
        table = running.pairs if isinstance(running.pairs, dict) else model.merges.whole_table()  # type: ignore[attr-defined]
        if _merges_stand_ins(running, table):
            return None
        form = cls([b""] * size, [None] * size, [])
        form.byte_level = _is_byte_level(spec, running)
        form._store(texts)
        form._derive(texts, table)
        return form

    def _store(self, texts: Sequence[str | None]) -> None:
        for id_, text in enumerate(texts):
            if text is None:
                self.holes.append(id_)
                continue
            raw = from_alphabet(text) if self.byte_level else text.encode()
            if raw is None:
                self.literal.append(id_)
                raw = text.encode()
            self.raws[id_] = raw

    def _derive(self, texts: Sequence[str | None], table: dict[int, int]) -> None:
        """Find the last pair of every token's own BPE."""
        singles = {text: id_ for id_, text in enumerate(texts) if text is not None and len(text) == 1}
        ranks: list[tuple[int, int]] = []
        for id_, text in enumerate(texts):
            if text is None or len(text) < 2:
                continue
            symbols = [singles.get(char, -1) for char in text]
            if -1 in symbols:
                continue
            pair = _last_pair(symbols, table)
            if pair is not None:
                value = table.get(pair[0] << 32 | pair[1], NEVER)
                if value != NEVER and value & _ID == id_:
                    self.pairs[id_] = pair
                    ranks.append((value >> 32, id_))
        ranks.sort()
        self.order = [id_ for _, id_ in ranks]

    def storage(self) -> dict[str, Any]:
        """Return the notes that the spec keeps on how texts are stored."""
        return {"byte_level": self.byte_level, "literal": self.literal, "holes": self.holes}

    def sections(self, index: bool) -> dict[str, bytes]:
        """Return the sections BASE, PAIR, RNKX and, on request, the index."""
        sections = {
            "BASE": b"".join(_sized(raw) for raw, pair in zip(self.raws, self.pairs, strict=True) if pair is None),
            "PAIR" if index else "PAIG": self._planes(grouped=not index),
        }
        moved = self._exceptions()
        if moved:
            sections["RNKX"] = _numbers("I", moved)
        if index:
            sections.update(self._index())
        return sections

    def _planes(self, grouped: bool) -> bytes:
        """Return left and right ids of all merges, one byte plane after the other: it deflates best.

        Grouped, the low bytes stand in the order of the higher bytes, which deflates better still.
        """
        left = [NO_PAIR if pair is None else pair[0] for pair in self.pairs]
        right = [0 if pair is None else pair[1] for pair in self.pairs]
        planes = []
        for ids in (left, right):
            lows = sorted(ids, key=lambda id_: id_ >> 8) if grouped else ids
            planes += [
                bytes(id_ & 255 for id_ in lows),
                *(bytes(id_ >> shift & 255 for id_ in ids) for shift in (8, 16)),
            ]
        return b"".join(planes)

    def _exceptions(self) -> list[int]:
        """Return (id, regular ids before it) for the ids that do not follow the order of ids."""
        regular = _longest_increasing(self.order)
        moved: list[int] = []
        before = 0
        for id_ in self.order:
            if id_ in regular:
                before += 1
            else:
                moved += (id_, before)
        return moved

    def _index(self) -> dict[str, bytes]:
        ranks = array("I", [NONE]) * len(self.raws)
        for rank, id_ in enumerate(self.order):
            ranks[id_] = rank
        return _lookup(self.raws, {*self.literal, *self.holes}) | {"RANK": _numbers("I", ranks)}


def _lookup(raws: list[bytes], left_out: set[int]) -> dict[str, bytes]:
    """Return the sections by which bytes of tokens are looked up; ids that are `left_out` are not found."""
    size = len(raws)
    mask = (1 << (size * 3 // 2).bit_length()) - 1
    slots = array("I", [NONE]) * (mask + 1)
    for id_, raw in enumerate(raws):
        if id_ in left_out:
            continue
        at = crc32(raw) & mask
        while slots[at] != NONE:
            at = (at + 1) & mask
        slots[at] = id_
    return {
        "OFFS": _numbers("I", accumulate(map(len, raws), initial=0)),
        "BLOB": b"".join(raws),
        "HASH": _numbers("I", slots),
    }


def _is_byte_level(spec: Spec, model: BPE) -> bool:
    """Tell whether tokens are bytes in GPT-2's alphabet."""
    if spec.pre_tokenizer is None:
        return False
    from tokenizers_lite.pipeline import byte_symbols
    from tokenizers_lite.pre_tokenizers import byte_level_splitter

    return byte_level_splitter(spec.pre_tokenizer) is not None and byte_symbols(model) is not None


def _merges_stand_ins(model: BPE, table: dict[int, int]) -> bool:
    """Tell whether a merge takes a byte token or unk, which stand for other text than their own."""
    stand_ins = {model.token_to_id(f"<0x{byte:02X}>") for byte in range(256)} if model.spec.byte_fallback else set()
    stand_ins.add(model.token_to_id(model.spec.unk_token or ""))
    stand_ins.discard(None)
    return any(key >> 32 in stand_ins or key & _ID in stand_ins for key in table)


def _last_pair(symbols: list[int], table: dict[int, int]) -> tuple[int, int] | None:
    """Return the two symbols that BPE of `symbols` arrives at, None if it stops before."""
    get = table.get
    ranks = [get(a << 32 | b, NEVER) for a, b in pairwise(symbols)]
    while len(symbols) > 2:
        best = min(ranks)
        if best == NEVER:
            return None
        at = ranks.index(best)
        merged = symbols[at] = best & _ID
        del symbols[at + 1], ranks[at]
        if at:
            ranks[at - 1] = get(symbols[at - 1] << 32 | merged, NEVER)
        if at < len(ranks):
            ranks[at] = get(merged << 32 | symbols[at + 1], NEVER)
    return symbols[0], symbols[1]


def _longest_increasing(values: list[int]) -> set[int]:
    """Return the members of a longest increasing subsequence of distinct values."""
    tails: list[int] = []
    places: list[int] = []
    for value in values:
        at = bisect_right(tails, value)
        tails[at : at + 1] = [value]
        places.append(at)
    members = set()
    want = len(tails) - 1
    for value, place in zip(reversed(values), reversed(places), strict=True):
        if place == want:
            members.add(value)
            want -= 1
    return members


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


__all__ = ["Canonical", "dumps", "write"]
