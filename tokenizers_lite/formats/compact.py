"""The compact format: one file with a whole tokenizer, mapped and used as it lies.

docs/formats/compact.md describes every byte. A file holds the spec (section
SPEC) and the vocabulary as merges (BASE, PAIR, RNKX: the smallest form); an
optional index (OFFS, BLOB, HASH, RANK) lets lookups run on the mapped bytes
with no table built. Without the index the tables are built when first needed.
"""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from struct import unpack_from
from zlib import crc32

from tokenizers_lite import _msgpack
from tokenizers_lite.byte_alphabet import CHARS, from_alphabet
from tokenizers_lite.errors import SpecError
from tokenizers_lite.models.bpe import NEVER
from tokenizers_lite.spec import AddedToken, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MAGIC = b"\x89TKL\r\n\x1a\n"
VERSION = 1
NONE = 0xFFFFFFFF
_INDEX = ("OFFS", "BLOB", "HASH", "RANK")
NO_PAIR = 0xFFFFFF
_ID = 0xFFFFFFFF
_LATIN_TO_ALPHABET = dict(enumerate(CHARS))
# Longest token and all tokens together, in bytes: merges can double, so a small file could claim gigabytes.
_MAX_TEXT = 1 << 16
_MAX_TEXTS = 1 << 27
# Pairs remembered after a lookup on mapped bytes.
_KNOWN_PAIRS = 1 << 17


class Container:
    """The sections of one file, each checked against its checksum when first taken.

    The index of a `trusted` file is not: reading all of it would cost more
    than all else at start-up. Such files were checked when they were put
    where they are: by the package manager, or by us.
    """

    def __init__(self, data: bytes | mmap, name: str, folder: str = "", trusted: bool = False) -> None:
        self.name = name
        self.folder = folder
        self.trusted = trusted
        self.view = memoryview(data)
        self.table = self._table()
        self._checked: set[str] = set()
        self._link: Container | None = None

    def _table(self) -> dict[str, tuple[int, int, int]]:
        """Return tag -> (checksum, offset, size) after checking the header."""
        view = self.view
        if len(view) < 32 or bytes(view[:8]) != MAGIC:
            raise SpecError("not a compact tokenizer file (wrong magic)", file=self.name, field="offset 0")
        version, _, count, size, checksum = unpack_from("<HHIQI", view, 8)
        if version != VERSION:
            raise SpecError(
                "this compact file needs another version of tokenizers-lite; update it or convert again",
                file=self.name,
                field="version",
                value=version,
            )
        if size != len(view) or 32 + 24 * count > size:
            raise SpecError(
                f"the file has {len(view)} bytes where its header says {size}; it was cut short or changed",
                file=self.name,
                field="offset 16",
            )
        if crc32(view[32 : 32 + 24 * count]) != checksum:
            raise SpecError("the section table is damaged", file=self.name, field="offset 32")
        table = {}
        for row in range(count):
            tag, crc, offset, length = unpack_from("<4sIQQ", view, 32 + 24 * row)
            if offset + length > size:
                raise SpecError("a section reaches past the end", file=self.name, field=f"offset {32 + 24 * row}")
            table[tag.decode("latin-1")] = (crc, offset, length)
        return table

    def has(self, tag: str) -> bool:
        """Tell whether the file, or the one it links to, has a section."""
        return tag in self.table or ("LINK" in self.table and self.linked().has(tag))

    def section(self, tag: str, item: int = 1) -> memoryview:
        """Return the bytes of a section, a multiple of `item` long.

        Raises:
            SpecError: the section is missing or damaged.
        """
        if tag not in self.table:
            if "LINK" in self.table:
                return self.linked().section(tag, item)
            raise SpecError(
                "a section is missing; the file was not written by tokenizers-lite", field=tag, file=self.name
            )
        crc, offset, length = self.table[tag]
        part = self.view[offset : offset + length]
        if tag not in self._checked and not (self.trusted and tag in _INDEX):
            if crc32(part) != crc or length % item:
                raise SpecError("the section is damaged (checksum differs)", file=self.name, field=f"section {tag}")
            self._checked.add(tag)
        return part

    def length(self, tag: str) -> int:
        """Return the size of a section without reading it."""
        if tag not in self.table and "LINK" in self.table:
            return self.linked().length(tag)
        return self.table[tag][2] if tag in self.table else len(self.section(tag))

    def linked(self) -> Container:
        """Return the file beside this one that holds the vocabulary."""
        if self._link is None:
            link = _msgpack.unpackb(self.section("LINK"))
            name = str(link.get("file", "")) if isinstance(link, dict) else ""
            if not name or "/" in name or "\\" in name:
                raise SpecError(
                    "the link names no file beside this one", file=self.name, field="section LINK", value=name
                )
            self._link = open_container(f"{self.folder}/{name}" if self.folder else name, self.trusted)
            held = [self._link.table.get(tag, (None,))[0] for tag in ("BASE", pair_tag(self._link))]
            if "LINK" in self._link.table or held != [link.get("base"), link.get("pair")]:
                raise SpecError("the linked vocabulary is not the one this file was made with", file=self._link.name)
        return self._link


def open_container(path: str, trusted: bool = False) -> Container:
    """Map a file and return its sections."""
    with open(path, "rb") as file:
        try:
            data: bytes | mmap = mmap(file.fileno(), 0, access=ACCESS_READ)
        except (ValueError, OSError):  # empty, or a file system that cannot map
            data = file.read()
    folder = path.replace("\\", "/").rpartition("/")[0]
    return Container(data, path, folder or ("/" if path.startswith("/") else ""), trusted)


def read(path: str) -> Spec:
    """Read a compact file.

    Raises:
        SpecError: the file is damaged or of another version.
        OSError: the file cannot be opened.
    """
    return _whole(open_container(path))


def read_bytes(data: bytes, name: str = "bytes") -> Spec:
    """Read a compact file that is in memory, such as an APK asset."""
    return _whole(Container(data, name))


def open_quick(path: str, trusted: bool = False) -> tuple[Spec, dict[str, Any]]:
    """Read a compact file by need.

    Returns:
        The spec, whose fields are decoded when first read, and the hints that
        let a tokenizer start without them (``start`` in docs/formats/compact.md).
    """
    container = open_container(path, trusted)
    plain = _plain(container)
    return _spec(container, plain), plain.get("start") or {}


def _whole(container: Container) -> Spec:
    spec = _spec(container, _plain(container))
    for name in spec._fields:
        getattr(spec, name)
    return spec


def _plain(container: Container) -> dict[str, Any]:
    plain = _msgpack.unpackb(container.section("SPEC"))
    if not isinstance(plain, dict) or not isinstance(plain.get("model"), dict):
        raise SpecError("the spec is not a map with a model", file=container.name, field="section SPEC")
    return plain


def _spec(container: Container, plain: dict[str, Any]) -> Spec:
    unknown = [name for name in plain if name not in (*Spec._fields, "start")]
    if unknown:
        raise SpecError("unknown field; update tokenizers-lite", file=container.name, field=str(unknown[0]))

    def component(name: str) -> Callable[[], Any]:
        def make() -> Any:
            from tokenizers_lite.formats import _records

            return _records.component_from_plain(name, plain[name], container.name, container.trusted)

        return make

    makers = {name: component(name) for name in plain if name not in ("model", "added_tokens", "start")}
    makers["model"] = lambda: _model(container, dict(plain["model"]))
    makers["added_tokens"] = lambda: _added_tokens(plain.get("added_tokens", ()), container.name)
    return Spec.lazy(makers)


def _added_tokens(rows: Any, file: str) -> tuple[AddedToken, ...]:
    try:
        return tuple(_added_token(*row) for row in rows)
    except TypeError as exc:
        raise SpecError(f"added tokens are not as expected ({exc})", file=file, field="section SPEC") from exc


def _added_token(id_: int, content: str, flags: int) -> AddedToken:
    if type(id_) is not int or type(content) is not str:
        raise TypeError("an id that is no number, or a text that is none")
    return AddedToken(
        id_, content, bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8), bool(flags & 16)
    )


def _model(container: Container, model: dict[str, Any]) -> Any:
    """Return the model's record with its vocabulary."""
    from tokenizers_lite.formats import _records

    storage = model.pop("storage", None)
    storage = storage if isinstance(storage, dict) else {}
    kind = str(model.get("type"))
    plain = {**model, **_EMPTY.get(kind, {})}
    record = _records.from_plain(plain, "models", container.name, "model", container.trusted)
    if kind not in _EMPTY:
        raise SpecError("not a model", file=container.name, field="model.type", value=kind)
    if kind == "BPE" and container.has(pair_tag(container)):
        vocab = CompactVocab(container, storage)
        return record.replace(vocab=vocab, merges=CompactMerges(vocab))
    texts = _text_column(container)
    if kind == "Unigram":
        return record.replace(vocab=tuple(zip(texts, _column(container, "SCOR", "d", len(texts)), strict=True)))
    if kind == "SentencePiece":
        scores, types = _column(container, "SCOR", "d", len(texts)), _column(container, "TYPE", "B", len(texts))
        return record.replace(pieces=tuple(zip(texts, scores, types, strict=True)))
    ids = dict(zip(texts, _column(container, "IDS ", "I", len(texts)), strict=True))
    if kind != "BPE":
        return record.replace(vocab=ids)
    by_id = {id_: text for text, id_ in ids.items()}
    flat = container.section("MERG", 8).cast("I")
    try:
        merges = tuple((by_id[flat[at]], by_id[flat[at + 1]]) for at in range(0, len(flat), 2))
    except KeyError as exc:
        raise SpecError(
            f"a merge names id {exc}, which no token has", file=container.name, field="section MERG"
        ) from exc
    return record.replace(vocab=ids, merges=merges)


# Fields that are filled from sections, so that the record can be made before them.
_EMPTY: dict[str, dict[str, Any]] = {
    "BPE": {"vocab": {}, "merges": []},
    "Unigram": {"vocab": []},
    "WordLevel": {"vocab": {}},
    "WordPiece": {"vocab": {}},
    "SentencePiece": {"pieces": []},
}


def _column(container: Container, tag: str, layout: str, count: int) -> list[Any]:
    """Return a section of `count` numbers."""
    column = container.section(tag, {"d": 8, "I": 4, "B": 1}[layout]).cast(layout)  # type: ignore[call-overload]
    if len(column) != count:
        raise SpecError(
            f"the section holds {len(column)} items, not {count}", file=container.name, field=f"section {tag}"
        )
    return list(column)


def _text_column(container: Container) -> list[str]:
    data = bytes(container.section("TEXT"))
    at = 0
    texts = []
    while at < len(data):
        raw, at = _sized(data, at, container.name, "TEXT")
        texts.append(raw.decode("utf-8", "replace"))
    return texts


def _sized(data: bytes, at: int, file: str, tag: str) -> tuple[bytes, int]:
    """Read one length (7 bits a byte, low first, high bit on all but the last) and that many bytes."""
    length = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise SpecError("texts end early", file=file, field=f"section {tag}")
        byte = data[at]
        at += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if at + length > len(data):
        raise SpecError("texts end early", file=file, field=f"section {tag}")
    return data[at : at + length], at + length


def pair_tag(container: Container) -> str:
    """Return the tag of the section that holds the merges, by id (PAIR) or with grouped low bytes (PAIG)."""
    return "PAIR" if container.has("PAIR") else "PAIG"


def _ungrouped(lows: bytes, middles: bytes, highs: bytes) -> bytes:
    """Return low bytes in the order of ids; they are stored grouped by the higher bytes."""
    keys = [middle | high << 8 for middle, high in zip(middles, highs, strict=True)]
    sizes: dict[int, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    places = {}
    at = 0
    for key in sorted(sizes):
        places[key] = at
        at += sizes[key]
    out = bytearray()
    for key in keys:
        at = places[key]
        out.append(lows[at])
        places[key] = at + 1
    return bytes(out)


class _Index:
    """Token bytes <-> id on the mapped index."""

    def __init__(self, container: Container, size: int) -> None:
        self.offsets = container.section("OFFS", 4).cast("I")
        self.blob = container.section("BLOB")
        self.slots = container.section("HASH", 4).cast("I")
        self.mask = len(self.slots) - 1
        self.name = container.name
        if len(self.offsets) != size + 1 or not len(self.slots) or self.mask & len(self.slots):
            raise SpecError("the index does not fit the vocabulary", file=container.name, field="section OFFS")

    def raw_id(self, raw: bytes) -> int | None:
        slots, offsets, blob, mask = self.slots, self.offsets, self.blob, self.mask
        start = at = crc32(raw) & mask
        try:
            while (id_ := slots[at]) != NONE:
                if blob[offsets[id_] : offsets[id_ + 1]] == raw:
                    return id_
                at = (at + 1) & mask
                if at == start:
                    break
        except IndexError as exc:
            raise SpecError("a slot names an id that does not exist", file=self.name, field="section HASH") from exc
        return None

    def raw(self, id_: int) -> bytes:
        return bytes(self.blob[self.offsets[id_] : self.offsets[id_ + 1]])


class _Tables:
    """Token bytes <-> id on tables built in memory."""

    def __init__(self, texts: list[bytes], left_out: frozenset[int]) -> None:
        self.raw_id = {text: id_ for id_, text in enumerate(texts) if id_ not in left_out}.get
        self.raw = texts.__getitem__


class CompactVocab:
    """Token text -> id on the bytes of a compact file; also id -> text.

    `storage` is the spec's note on how texts are kept: ``byte_level`` (bytes
    of the byte alphabet), ``literal`` (ids kept as plain text all the same)
    and ``holes`` (ids that no token has).
    """

    def __init__(self, container: Container, storage: dict[str, Any]) -> None:
        self.container = container
        self.byte_level = bool(storage.get("byte_level"))
        self.literal = frozenset(storage.get("literal", ()))
        self.holes = frozenset(storage.get("holes", ()))
        self.size = container.length(pair_tag(container)) // 6
        self._literal_ids: dict[str, int] | None = None
        self._ranks: memoryview | None = None
        self._store: _Index | _Tables
        if container.has("HASH"):
            self._store = _Index(container, self.size)
        else:
            self._store = _Tables(self._texts(), self.literal | self.holes)
        self.raw_id: Callable[[bytes], int | None] = self._store.raw_id
        self.raw: Callable[[int], bytes] = self._store.raw

    def _texts(self) -> list[bytes]:
        """Return the bytes of every token, rebuilt from base tokens and merges."""
        texts = [b""] * self.size
        base = bytes(self.container.section("BASE"))
        at = 0
        left, right = self.pair_ids()
        merged = []
        for id_, first in enumerate(left):
            if first == NO_PAIR:
                texts[id_], at = _sized(base, at, self.container.name, "BASE")
            else:
                merged.append(id_)
        self._join(texts, left, right, merged)
        return texts

    def _join(self, texts: list[bytes], left: list[int], right: list[int], merged: list[int]) -> None:
        """Fill in the texts of merged tokens; a part may have a higher id or a later rank than the whole."""
        total = 0
        waiting = set(merged)
        for first in merged:
            stack = [first]
            while stack:
                id_ = stack[-1]
                if id_ not in waiting:
                    stack.pop()
                    continue
                parts = [part for part in (left[id_], right[id_]) if part in waiting]
                if parts:
                    stack += parts
                    if len(stack) > _MAX_TEXT:
                        raise SpecError("merges run in a circle", file=self.container.name, field="section PAIR")
                    continue
                text = texts[id_] = texts[left[id_]] + texts[right[id_]]
                total += len(text)
                if len(text) > _MAX_TEXT or total > _MAX_TEXTS:
                    raise SpecError(
                        "token texts are too long to be real", file=self.container.name, field="section PAIR"
                    )
                waiting.discard(id_)
                stack.pop()

    def pair_ids(self) -> tuple[list[int], list[int]]:
        """Return the left and the right id of the merge that makes each token; NO_PAIR if none does."""
        tag = pair_tag(self.container)
        planes = bytes(self.container.section(tag, 6))
        n = self.size
        a, b, c, d, e, f = (planes[i * n : (i + 1) * n] for i in range(6))
        if tag == "PAIG":
            a, d = _ungrouped(a, b, c), _ungrouped(d, e, f)
        left = [x | y << 8 | z << 16 for x, y, z in zip(a, b, c, strict=True)]
        right = [x | y << 8 | z << 16 for x, y, z in zip(d, e, f, strict=True)]
        for id_, first in enumerate(left):
            if first != NO_PAIR and (first >= n or right[id_] >= n):
                raise SpecError(
                    "a merge names an id that does not exist", file=self.container.name, field="section PAIR"
                )
        return left, right

    def rank_order(self) -> list[int]:
        """Return the ids that merges make, best merge first.

        That is the order of the ids but for the exceptions of RNKX: pairs of
        an id and how many regular ids come before it.
        """
        left, _ = self.pair_ids()
        moved = self.container.section("RNKX", 8).cast("I").tolist() if self.container.has("RNKX") else []
        exceptions = set(moved[::2])
        regular = [id_ for id_, first in enumerate(left) if first != NO_PAIR and id_ not in exceptions]
        order: list[int] = []
        done = 0
        for id_, before in zip(moved[::2], moved[1::2], strict=True):
            if not done <= before <= len(regular) or id_ >= self.size:
                raise SpecError("exceptions are out of order", file=self.container.name, field="section RNKX")
            order += regular[done:before]
            order.append(id_)
            done = before
        return order + regular[done:]

    # ------------------------------------------------ what the models need

    def id_of(self, token: str) -> int | None:
        """Return the id of a token text, or None."""
        if not self.byte_level:
            return self.raw_id(token.encode()) if token.isascii() or _encodable(token) else None
        raw = from_alphabet(token)
        if raw is not None:
            return self.raw_id(raw)
        if self._literal_ids is None:
            self._literal_ids = {self.raw(id_).decode(): id_ for id_ in self.literal}
        return self._literal_ids.get(token)

    def token_of(self, id: int) -> str | None:  # noqa: A002
        """Return the text of an id, or None."""
        if not 0 <= id < self.size or id in self.holes:
            return None
        raw = self.raw(id)
        if self.byte_level and id not in self.literal:
            return raw.decode("latin-1").translate(_LATIN_TO_ALPHABET)
        return raw.decode("utf-8", "replace")

    def pair_value(self, left: int, right: int) -> int:
        """Return ``rank << 32 | merged`` of two adjacent ids, NEVER if they do not merge."""
        merged = self.raw_id(self.raw(left) + self.raw(right))
        if merged is None:
            return NEVER
        if self._ranks is None:
            self._ranks = self.container.section("RANK", 4).cast("I")
        rank = self._ranks[merged]
        return NEVER if rank == NONE else rank << 32 | merged

    # --------------------------------------------------- the mapping it is

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

    def __len__(self) -> int:
        return self.size - len(self.holes)

    def __iter__(self) -> Iterator[str]:
        return (token for token, _ in self.items())

    keys = __iter__

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield (token text, id), ids ascending."""
        raw, special = self.raw, self.literal | self.holes
        for id_ in range(self.size):
            if not self.byte_level or id_ in special:
                token = self.token_of(id_)
                if token is not None:
                    yield token, id_
            else:
                yield raw(id_).decode("latin-1").translate(_LATIN_TO_ALPHABET), id_

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, CompactVocab) else other)

    def __hash__(self) -> int:
        tag = pair_tag(self.container)
        return hash(self.container.table[tag][0] if tag in self.container.table else self.size)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (list(self.items()),)


class CompactMerges:
    """The merges of a compact file: one pair a reachable token, best first."""

    def __init__(self, vocab: CompactVocab) -> None:
        self.vocab = vocab
        self._pairs: list[tuple[str, str]] | None = None

    def pair_table(self) -> PairTable | dict[int, int]:
        """Return the merge table for the model: lazy on an index, whole without one."""
        if self.vocab.container.has("HASH"):
            return PairTable(self.vocab)
        return self.whole_table()

    def whole_table(self) -> dict[int, int]:
        """Return ``left << 32 | right`` -> ``rank << 32 | merged`` for all merges."""
        left, right = self.vocab.pair_ids()
        return {left[id_] << 32 | right[id_]: rank << 32 | id_ for rank, id_ in enumerate(self.vocab.rank_order())}

    def _all(self) -> list[tuple[str, str]]:
        if self._pairs is None:
            left, right = self.vocab.pair_ids()
            texts = [self.vocab.token_of(id_) or "" for id_ in range(self.vocab.size)]
            self._pairs = [(texts[left[id_]], texts[right[id_]]) for id_ in self.vocab.rank_order()]
        return self._pairs

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, tuple, CompactMerges)) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._all()))

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all(),)


class PairTable:
    """Merge table that asks the index for pairs it has not seen, and remembers the answers.

    Looking up the joined bytes is exact although only one pair of each token
    is a merge: whenever two neighbours in the course of BPE join to a token,
    they are the last pair of that token's own BPE (proof in
    docs/formats/compact.md), so another pair with the same bytes never comes up.
    """

    def __init__(self, vocab: CompactVocab) -> None:
        self.vocab = vocab
        self.known: dict[int, int] = {}

    def get(self, key: int, default: int, /) -> int:
        """Return the value of a pair, or `default`."""
        value = self.known.get(key)
        if value is None:
            value = self.vocab.pair_value(key >> 32, key & _ID)
            if len(self.known) >= _KNOWN_PAIRS:
                self.known.clear()
            self.known[key] = value
        return default if value == NEVER else value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
