"""Components of a .mtok file as plain nodes, read and written by table: bytes <-> Node.

A node is a tag and its fields. Three tables, one for each kind of component,
say how the fields of a tag are laid out; one letter a field:

    b  u8                   s  string (u16 length)     I  u32
    *  u32 count + nodes    t  character table         T  character table, there only if the field before is not 0
"""

from __future__ import annotations

from tokenizers_lite._record import Record
from vocab_converters._binary import pack_string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vocab_converters._binary import ByteReader

MAX_DEPTH = 32  # real files nest twice; the C++ readers recurse without a limit


class Node(Record):
    """One component: its tag and its fields in file order."""

    tag: int
    fields: tuple[Any, ...] = ()


class Layout(Record):
    """Names and field letters of the tags of one kind of component."""

    kind: str
    tags: tuple[tuple[str, str], ...]


NORMALIZERS = Layout(
    "normalizer",
    (
        ("none", ""),
        ("identity", ""),
        ("prepend", "s"),
        ("replace", "ss"),
        ("sequence", "*"),
        ("bert", "bbbb"),
        ("table", "t"),
        ("bert-nfd", "bbbbT"),
        ("strip", "bb"),
    ),
)
PRE_TOKENIZERS = Layout(
    "pre-tokenizer",
    (
        ("none", ""),
        ("byte-level", "b"),
        ("digits", "b"),
        ("metaspace", "sb"),
        ("split", "sbb"),
        ("bert", ""),
        ("sequence", "*"),
    ),
)
DECODERS = Layout(
    "decoder",
    (
        ("byte-level", ""),
        ("byte-fallback", ""),
        ("metaspace", "sb"),
        ("wordpiece", "sb"),
        ("fuse", ""),
        ("replace", "ss"),
        ("strip", "sII"),
        ("sequence", "*"),
    ),
)


def name(layout: Layout, node: Node) -> str:
    """Return the name of a node's tag."""
    return layout.tags[node.tag][0]


def make(layout: Layout, tag_name: str, *fields: Any) -> Node:
    """Build a node by the name of its tag."""
    return Node([known for known, _ in layout.tags].index(tag_name), fields)


def read_node(reader: ByteReader, layout: Layout, depth: int = 0) -> Node:
    """Read a component and everything inside it."""
    start = reader.position
    tag = reader.u8(f"the tag of a {layout.kind}")
    if tag >= len(layout.tags):
        raise reader.error(f"unknown {layout.kind} tag {tag}; the readers would misread the rest of the file", start)
    if depth > MAX_DEPTH:
        raise reader.error(f"{layout.kind}s nested deeper than {MAX_DEPTH}", start)
    tag_name, letters = layout.tags[tag]
    what = f"{layout.kind} {tag_name}"
    fields: list[Any] = []
    for letter in letters:
        if letter == "b":
            fields.append(reader.u8(what))
        elif letter == "s":
            fields.append(reader.string(what))
        elif letter == "I":
            fields.append(reader.u32(what))
        elif letter == "*":
            count = reader.count(f"{layout.kind}s", 1)
            fields.append(tuple(read_node(reader, layout, depth + 1) for _ in range(count)))
        elif letter == "t" or fields[2]:  # T: bert-nfd's table follows its strip flag
            fields.append(_read_table(reader))
    return Node(tag, tuple(fields))


def write_node(node: Node, layout: Layout) -> bytes:
    """Return the bytes of a component."""
    tag_name, letters = layout.tags[node.tag]
    what = f"{layout.kind} {tag_name}"
    out = bytearray([node.tag])
    for letter, value in zip(letters, node.fields, strict=False):
        if letter == "b":
            out.append(value)
        elif letter == "s":
            out += pack_string(value, what)
        elif letter == "I":
            out += value.to_bytes(4, "little")
        elif letter == "*":
            out += len(value).to_bytes(4, "little")
            for child in value:
                out += write_node(child, layout)
        else:
            out += _table_bytes(value)
    return bytes(out)


def _read_table(reader: ByteReader) -> tuple[tuple[int, str], ...]:
    """Read a table of code points and what replaces them."""
    entries = []
    for _ in range(reader.count("table entries", 6)):
        code = reader.u32("a table entry")
        entries.append((code, reader.string("a table entry")))
    return tuple(entries)


def _table_bytes(table: tuple[tuple[int, str], ...]) -> bytes:
    """Return the bytes of a character table."""
    out = bytearray(len(table).to_bytes(4, "little"))
    for code, text in table:
        out += code.to_bytes(4, "little") + pack_string(text, "a table entry")
    return bytes(out)
