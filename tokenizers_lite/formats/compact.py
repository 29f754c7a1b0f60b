"""The compact format: one file with a whole tokenizer, mapped and used as it lies.

docs/formats/compact.md describes every byte. A file holds the spec (section
SPEC) and the vocabulary as merges (BASE, PAIR, RNKX: the smallest form); an
optional index (OFFS, BLOB, HASH, RANK) lets lookups run on the mapped bytes
with no table built. Without the index the tables are built when first needed.

This module holds what every start needs: the container, the index, the spec by need.
The vocabulary is in `_compact_vocab` (BPE), `_compact_words` (WordPiece on an
index) and `_compact_columns` (the others).
"""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from zlib import crc32

from tokenizers_lite import _msgpack
from tokenizers_lite.spec import AddedToken, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAGIC = b"\x89TKL\r\n\x1a\n"
VERSION = 1
NONE = 0xFFFFFFFF
_INDEX = ("OFFS", "BLOB", "HASH", "RANK")
NO_PAIR = 0xFFFFFF


def _error(message: str, **where: Any) -> Exception:
    """Return a SpecError; its module is imported only when something is wrong."""
    from tokenizers_lite.errors import SpecError

    return SpecError(message, **where)


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
            raise _error("not a compact tokenizer file (wrong magic)", file=self.name, field="offset 0")
        version, count, size, checksum = (_number(view, at, width) for at, width in ((8, 2), (12, 4), (16, 8), (24, 4)))
        if version != VERSION:
            raise _error(
                "this compact file needs another version of tokenizers-lite; update it or convert again",
                file=self.name,
                field="version",
                value=version,
            )
        if size != len(view) or 32 + 24 * count > size:
            raise _error(
                f"the file has {len(view)} bytes where its header says {size}; it was cut short or changed",
                file=self.name,
                field="offset 16",
            )
        if crc32(view[32 : 32 + 24 * count]) != checksum:
            raise _error("the section table is damaged", file=self.name, field="offset 32")
        table = {}
        for row in range(count):
            at = 32 + 24 * row
            offset, length = _number(view, at + 8, 8), _number(view, at + 16, 8)
            if offset + length > size:
                raise _error("a section reaches past the end", file=self.name, field=f"offset {at}")
            table[str(view[at : at + 4], "latin-1")] = (_number(view, at + 4, 4), offset, length)
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
            raise _error("a section is missing; the file was not written by tokenizers-lite", field=tag, file=self.name)
        crc, offset, length = self.table[tag]
        part = self.view[offset : offset + length]
        if tag not in self._checked and not (self.trusted and tag in _INDEX):
            if crc32(part) != crc or length % item:
                raise _error("the section is damaged (checksum differs)", file=self.name, field=f"section {tag}")
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
                raise _error("the link names no file beside this one", file=self.name, field="section LINK", value=name)
            self._link = open_container(f"{self.folder}/{name}" if self.folder else name, self.trusted)
            held = [self._link.table.get(tag, (None,))[0] for tag in ("BASE", pair_tag(self._link))]
            if "LINK" in self._link.table or held != [link.get("base"), link.get("pair")]:
                raise _error("the linked vocabulary is not the one this file was made with", file=self._link.name)
        return self._link


def _number(view: memoryview, at: int, width: int) -> int:
    return int.from_bytes(view[at : at + width], "little")


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
        raise _error("the spec is not a map with a model", file=container.name, field="section SPEC")
    return plain


def _spec(container: Container, plain: dict[str, Any]) -> Spec:
    unknown = [name for name in plain if name not in (*Spec._fields, "start")]
    if unknown:
        raise _error("unknown field; update tokenizers-lite", file=container.name, field=str(unknown[0]))

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
        raise _error(f"added tokens are not as expected ({exc})", file=file, field="section SPEC") from exc


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
    for name in ("literal", "holes"):
        if not isinstance(storage.get(name, []), (list, tuple)):
            raise _error("not a list of ids", file=container.name, field=f"model.storage.{name}", value=storage[name])
    kind = str(model.get("type"))
    plain = {**model, **_EMPTY.get(kind, {})}
    record = _records.from_plain(plain, "models", container.name, "model", container.trusted)
    if kind not in _EMPTY:
        raise _error("not a model", file=container.name, field="model.type", value=kind)
    if kind == "BPE" and container.has(pair_tag(container)):
        from tokenizers_lite.formats._compact_vocab import CompactMerges, CompactVocab

        vocab = CompactVocab(container, storage)
        return record.replace(vocab=vocab, merges=CompactMerges(vocab))
    if kind in ("WordPiece", "WordLevel") and container.has("HASH"):
        from tokenizers_lite.formats._compact_words import WordVocab

        return record.replace(vocab=WordVocab(container))
    from tokenizers_lite.formats import _compact_columns

    return _compact_columns.fill(record, kind, container)


# Fields that are filled from sections, so that the record can be made before them.
_EMPTY: dict[str, dict[str, Any]] = {
    "BPE": {"vocab": {}, "merges": []},
    "Unigram": {"vocab": []},
    "WordLevel": {"vocab": {}},
    "WordPiece": {"vocab": {}},
    "SentencePiece": {"pieces": []},
}


class Index:
    """Token bytes <-> id on the mapped index."""

    def __init__(self, container: Container, size: int) -> None:
        self.offsets = container.section("OFFS", 4).cast("I")
        self.blob = container.section("BLOB")
        self.slots = container.section("HASH", 4).cast("I")
        self.mask = len(self.slots) - 1
        self.name = container.name
        if len(self.offsets) != size + 1 or not len(self.slots) or self.mask & len(self.slots):
            raise _error("the index does not fit the vocabulary", file=container.name, field="section OFFS")

    def raw_id(self, raw: bytes) -> int | None:
        """Return the id of a token's bytes, or None."""
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
            raise _error("a slot names an id that does not exist", file=self.name, field="section HASH") from exc
        return None

    def raw(self, id_: int) -> bytes:
        """Return the bytes of an id."""
        return bytes(self.blob[self.offsets[id_] : self.offsets[id_ + 1]])


def pair_tag(container: Container) -> str:
    """Return the tag of the section that holds the merges, by id (PAIR) or with grouped low bytes (PAIG)."""
    return "PAIR" if container.has("PAIR") else "PAIG"
