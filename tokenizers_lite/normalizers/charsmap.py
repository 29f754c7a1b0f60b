"""Compiled character maps of sentencepiece: text -> the rule that applies at a place.

The form (sentencepiece builder.cc, normalizer.cc EncodePrecompiledCharsMap): a
32-bit size, a Darts-clone double array of that many bytes whose keys are UTF-8,
and the replacements, each ended by a NUL byte; the value of a key is where its
replacement begins. Numbers are little-endian.

NFKC compiled this way has 225,276 rules in 60,000 units, because ends of keys
are shared; so rules are looked up in the array as they are needed, not listed.
"""

from __future__ import annotations

import re
import sys
from array import array

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LABEL = 0x8000_00FF  # the top bit marks a value, whose label no byte equals
_MAX_MATCHES = 32  # sentencepiece's Normalizer::kMaxTrieResultsSize
_MAX_STEPS = 1 << 16  # remembered, then forgotten all at once
_ASCII = "".join(map(chr, range(1, 128)))


class CharsMap:
    """A compiled character map.

    Keys that end inside a character cannot come from sentencepiece's compiler;
    `longest` does not find them.

    Args:
        blob: the compiled map.
        validate: refuse what sentencepiece 0.2.3 refuses to load; else only
            what cannot be read at all.

    Raises:
        SpecError: the map is broken.
    """

    def __init__(self, blob: bytes, *, validate: bool = False) -> None:
        size = int.from_bytes(blob[:4], "little")
        if len(blob) < 8 or size < 4 or size > len(blob) - 4:
            raise _broken(f"{len(blob)} bytes, but an array of {size} is announced", blob[:8])
        end = 4 + size // 4 * 4
        self.units = array("I", blob[4:end])
        if sys.byteorder == "big":
            self.units.byteswap()
        self.block = blob[end:]
        if validate:
            _validate(size, self.units, self.block)
        try:
            self.block.decode()
        except UnicodeDecodeError as error:
            raise _broken("a replacement is not UTF-8", self.block[error.start : error.end]) from None
        self._root = _offset(self.units[0])
        # (base of a node, character) -> base of the node behind it and replacement of the key so far
        self._steps: dict[tuple[int, str], tuple[int, str | None] | None] = {}
        self._scanners: dict[bool, re.Pattern[str]] = {}

    def longest(self, text: str, position: int) -> tuple[int, str] | None:
        """Return the end and replacement of the longest key at `position` (of the first 32: kMaxTrieResultsSize)."""
        base, found, matches = self._root, None, 0
        for at in range(position, len(text)):
            step = self._step(base, text[at])
            if step is None:
                break
            base, replacement = step
            if replacement is not None:
                found = at + 1, replacement
                matches += 1
                if matches == _MAX_MATCHES:
                    break
        return found

    def shortest(self, text: str) -> str | None:
        """Return the replacement of the shortest key that `text` starts with, be it the start of a character."""
        units, base = self.units, self._root
        for byte in text.encode():
            index = base ^ byte
            if not byte or index >= len(units) or units[index] & _LABEL != byte:
                return None
            base = index ^ _offset(units[index])
            if units[index] & 0x100:
                return self._replacement(base)
        return None

    def scanner(self, text: str) -> re.Pattern[str]:
        """Return a pattern that finds every place of `text` where a key may start."""
        is_ascii = text.isascii()
        if is_ascii not in self._scanners:
            edges = self._ascii_edges if is_ascii else _Keys(self.units).edges
            self._scanners[is_ascii] = _starts(edges(self._root), edges)
        return self._scanners[is_ascii]

    def _ascii_edges(self, base: int) -> dict[str, tuple[int, bool]]:
        steps = ((char, self._step(base, char)) for char in _ASCII)
        return {char: (step[0], step[1] is not None) for char, step in steps if step is not None}

    def _step(self, base: int, char: str) -> tuple[int, str | None] | None:
        key = base, char
        try:
            return self._steps[key]
        except KeyError:
            if len(self._steps) >= _MAX_STEPS:
                self._steps = {}
            step = self._steps[key] = self._walk(base, char)
            return step

    def _walk(self, base: int, char: str) -> tuple[int, str | None] | None:
        units, unit = self.units, 0
        for byte in char.encode():
            index = base ^ byte
            if not byte or index >= len(units) or units[index] & _LABEL != byte:
                return None
            unit = units[index]
            base = index ^ _offset(unit)
        if not unit & 0x100:
            return base, None
        return base, self._replacement(base)

    def _replacement(self, base: int) -> str | None:
        start = self.units[base] & 0x7FFF_FFFF if base < len(self.units) else len(self.block)
        if start >= len(self.block):
            return None
        end = self.block.find(b"\0", start)
        return self.block[start : end if end >= 0 else len(self.block)].decode("utf-8", "replace")


class _Keys:
    """The other way around the array: which characters lead on from a node."""

    def __init__(self, units: array[int]) -> None:
        self.units = units
        self.children: dict[int, list[tuple[int, int]]] = {}  # base -> [(byte, index)]
        self.known: dict[int, dict[str, tuple[int, bool]]] = {}
        for index, unit in enumerate(units):
            label = unit & _LABEL
            # Units of no key have labels that put them under a base no node has (darts.h fix_block).
            if 0 < label < 0x100:
                self.children.setdefault(index ^ label, []).append((label, index))

    def edges(self, base: int) -> dict[str, tuple[int, bool]]:
        """Return character -> (base of the node behind it, whether a key ends there)."""
        if base not in self.known:
            self.known[base] = dict(self._edges(base, b""))
        return self.known[base]

    def _edges(self, base: int, prefix: bytes) -> Iterator[tuple[str, tuple[int, bool]]]:
        for byte, index in self.children.get(base, ()):
            unit = self.units[index]
            below = index ^ _offset(unit)
            char = prefix + bytes((byte,))
            try:
                yield char.decode(), (below, bool(unit & 0x100))
            except UnicodeDecodeError:
                if len(char) < 4:
                    yield from self._edges(below, char)


def _starts(roots: dict[str, tuple[int, bool]], edges: Callable[[int], dict[str, tuple[int, bool]]]) -> re.Pattern[str]:
    """Compile: a character that is a key, or one that starts longer keys before one that goes on with any."""
    single = {char for char, (_, ends) in roots.items() if ends}
    longer = {char: following for char, (base, _) in roots.items() if (following := edges(base))}
    second = {char for following in longer.values() for char in following}
    parts = []
    if single:
        parts.append(_class(single))
    if second:
        parts.append(f"{_class(set(longer))}(?={_class(second)})")
    return re.compile("|".join(parts) or r"(?!)")


def _class(chars: set[str]) -> str:
    """Write a set of characters as a character class of ranges."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, chars)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\U{a:08x}-\\U{b:08x}" if b > a else f"\\U{a:08x}" for a, b in ranges) + "]"


def _offset(unit: int) -> int:
    return (unit >> 10) << ((unit & 0x200) >> 6)


def _validate(size: int, units: array[int], block: bytes) -> None:
    """Refuse what sentencepiece refuses (normalizer.cc DecodePrecompiledCharsMap, darts.h validate)."""
    count = len(units)
    if size < 1024 or size % 1024:
        raise _broken("the size of the array is no multiple of 1024", size)
    if not block.endswith(b"\0"):
        raise _broken("the replacements do not end with NUL", block[-8:])
    root = units[0]
    if root & (_LABEL | 0x100) or not _offset(root) or _offset(root) | 0xFF >= count:
        raise _broken("the first unit is no root", root)
    for index, unit in enumerate(units):
        if unit & 0x8000_0000:
            if unit & 0x7FFF_FFFF >= len(block):
                raise _broken("a value beyond the replacements", unit)
        elif index:
            below = index ^ _offset(unit)
            if below | 0xFF >= count or (unit & 0x100 and not units[below] & 0x8000_0000):
                raise _broken("a unit leads out of the array", unit)


def _broken(message: str, value: object) -> SpecError:
    return SpecError(f"broken character map: {message}", field="precompiled_charsmap", value=value)
