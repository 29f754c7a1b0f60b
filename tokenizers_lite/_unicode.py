r"""Pinned character tables: a table's name -> ranges of code points, or a mapping.

Python's own `unicodedata`, `str.isspace`, `\w`, ... follow the interpreter's
Unicode version, and the parts of Hugging Face tokenizers follow four different
ones. The tables in `_unicode_data.py` were observed on tokenizers itself.

Names are `p:<property>` (Oniguruma's ``\p{...}``), `posix:<class>`,
`escape:<w s d h r>`, and for the parts written in Rust:

- `rust:whitespace`, `rust:numeric`: `char::is_whitespace`, `char::is_numeric`
- `rust:word`, `rust:regexspace`: ``\w`` and ``\s`` of the `regex` crate
- `hf:punctuation`: what BertPreTokenizer and Punctuation split on
- `hf:bertremoved`, `hf:bertspace`, `hf:bertchinese`: BertNormalizer's classes
- `hf:combiningmark`, `hf:nonspacingmark`: what StripAccents and
  BertNormalizer(strip_accents) drop
- `nf:guard`: code points that `unicodedata` may normalise and tokenizers does
  not; `nf:marks`: those that reorder in both
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Ranges = tuple[tuple[int, int], ...]  # inclusive, ascending, not touching

MAX = 0x10FFFF

_blob: bytes = b""
_offsets: dict[str, tuple[int, int]] = {}  # table -> start, end in _blob
_tables: dict[str, str] = {}  # name -> table
_cache: dict[str, Ranges] = {}


def _load() -> None:
    """Unpack the data module: two header lines, then the tables back to back."""
    global _blob  # noqa: PLW0603 - filled once, lazily
    import binascii
    import zlib

    from tokenizers_lite._unicode_data import DATA

    blob = zlib.decompress(binascii.a2b_base64(DATA))
    sizes, aliases, _ = blob.split(b"\n", 2)
    at = len(sizes) + len(aliases) + 2
    offsets = {}
    for entry in sizes.decode().split(" "):
        table, _, size = entry.rpartition("=")
        offsets[table] = (at, at + int(size))
        at += int(size)
    for entry in aliases.decode().split(" "):
        name, _, table = entry.partition("=")
        _tables[name] = table
    _offsets.update(offsets)
    _blob = blob


def _table(table: str) -> bytes:
    if not _blob:
        _load()
    start, end = _offsets[table]
    return _blob[start:end]


def _numbers(packed: bytes) -> list[int]:
    """Decode little-endian groups of seven bits."""
    numbers = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            numbers.append(number)
            number = shift = 0
    return numbers


def ranges(name: str) -> Ranges:
    """Return the inclusive ranges of a table.

    Raises:
        KeyError: there is no such table.
    """
    if name not in _cache:
        if not _blob:
            _load()
        at = 0
        found = []
        numbers = iter(_numbers(_table(_tables[name])))
        for gap, size in zip(numbers, numbers, strict=False):
            found.append((at + gap, at + gap + size - 1))
            at += gap + size
        _cache[name] = tuple(found)
    return _cache[name]


def property_ranges(name: str) -> Ranges | None:
    r"""Return what Oniguruma's ``\p{name}`` matches, or None for an unknown name.

    As there, case, blanks, `-` and `_` in the name do not matter.
    """
    plain = "".join(c for c in name.lower() if c not in " -_")
    try:
        return ranges(f"p:{plain}")
    except KeyError:
        return None


def contains(table: Ranges, code: int) -> bool:
    """Tell whether a code point lies in ascending ranges."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) // 2
        if table[middle][1] < code:
            low = middle + 1
        else:
            high = middle
    return low < len(table) and table[low][0] <= code


def characters(name: str) -> frozenset[str]:
    """Return a small table as a set of characters."""
    return frozenset(chr(code) for first, last in ranges(name) for code in range(first, last + 1))


def _pairs(table: str) -> dict[str, str]:
    return {entry[0]: entry[1:] for entry in _table(table).decode().split("\0")}


def lower_map() -> dict[int, str]:
    """Return Rust's `char::to_lowercase` for the characters it changes, ready for `str.translate`."""
    return {ord(char): lower for char, lower in _pairs("lower").items()}


def fold_map() -> dict[str, str]:
    """Return Oniguruma's case folding: characters with equal folds match each other under (?i)."""
    return _pairs("fold")


def scripts() -> tuple[list[int], list[int]]:
    """Return UnicodeScripts' classes: where each stretch starts, and its label.

    Characters of different labels are split; label 0 (the blank) joins with anything.
    """
    numbers = _numbers(_table("scripts"))
    starts, at = [], 0
    for gap in numbers[::2]:
        at += gap
        starts.append(at)
    return starts, numbers[1::2]


def union(*tables: Iterable[tuple[int, int]]) -> Ranges:
    """Return the ranges that lie in any of the tables."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(part for table in tables for part in table):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def complement(table: Ranges) -> Ranges:
    """Return all other code points."""
    gaps, at = [], 0
    for first, last in table:
        if first > at:
            gaps.append((at, first - 1))
        at = last + 1
    if at <= MAX:
        gaps.append((at, MAX))
    return tuple(gaps)


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """Return the ranges that lie in both tables."""
    common = []
    i = j = 0
    while i < len(a) and j < len(b):
        first, last = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if first <= last:
            common.append((first, last))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def class_text(table: Ranges, limit: int = MAX) -> str:
    """Return a stdlib `re` character class for a table, cut off above `limit`.

    Of the class and its complement the shorter is written; `limit` may be
    lower than what the text holds only if the caller knows the text.
    """
    inside = _class_body(intersection(table, ((0, limit),)))
    outside = _class_body(intersection(complement(table), ((0, limit),)))
    if not outside:
        return r"[\s\S]"
    if not inside:
        return r"(?!)"
    return f"[{inside}]" if len(inside) <= len(outside) else f"[^{outside}]"


def _class_body(table: Ranges) -> str:
    parts = []
    for first, last in table:
        parts.append(escape(first))
        if last > first:
            parts.append(("" if last == first + 1 else "-") + escape(last))
    return "".join(parts)


def escape(code: int) -> str:
    """Return a code point as it may stand anywhere in an `re` pattern."""
    if chr(code).isalnum() and code < 128:
        return chr(code)
    if code < 256:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
