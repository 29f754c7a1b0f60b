"""A small part of MessagePack: plain values <-> bytes, without imports.

Holds nil, bool, int (64 bit), float (64 bit), str, bin, array and map of the
MessagePack specification (2013 revision, with str and bin apart); extension
types are refused. Used by the compact format, where `json` would cost more
start-up time than all else.
"""

from __future__ import annotations

from struct import pack, unpack_from

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_DEPTH = 64


def packb(value: Any) -> bytes:
    """Return `value` as MessagePack; tuples become arrays, mappings maps."""
    out = bytearray()
    _pack(value, out)
    return bytes(out)


def _pack(value: Any, out: bytearray) -> None:
    if value is None:
        out.append(0xC0)
    elif value is True or value is False:
        out.append(0xC2 + value)
    elif isinstance(value, int):
        if 0 <= value < 128:
            out.append(value)
        elif value >= 0:
            out += pack(">BQ", 0xCF, value) if value >> 32 else pack(">BI", 0xCE, value)
        else:
            out += pack(">Bq", 0xD3, value)
    elif isinstance(value, float):
        out += pack(">Bd", 0xCB, value)
    elif isinstance(value, str):
        data = value.encode()
        out += pack(">B", 0xA0 | len(data)) if len(data) < 32 else pack(">BI", 0xDB, len(data))
        out += data
    elif isinstance(value, bytes):
        out += pack(">BI", 0xC6, len(value)) + value
    elif isinstance(value, (list, tuple)):
        out += pack(">B", 0x90 | len(value)) if len(value) < 16 else pack(">BI", 0xDD, len(value))
        for item in value:
            _pack(item, out)
    elif hasattr(value, "items"):
        items = list(value.items())
        out += pack(">B", 0x80 | len(items)) if len(items) < 16 else pack(">BI", 0xDF, len(items))
        for key, item in items:
            _pack(key, out)
            _pack(item, out)
    else:
        raise TypeError(f"cannot pack {type(value).__name__}")


def unpackb(data: bytes | memoryview) -> Any:
    """Return the value that `data` holds.

    Raises:
        SpecError: the bytes are cut short, left over, too deep or of a type that is not used here.
    """
    reader = _Reader(bytes(data))
    value = reader.read(0)
    if reader.at != len(reader.data):
        raise SpecError("bytes are left after the value; the file is damaged", field=f"offset {reader.at}")
    return value


# Layout of the types with a length or a value of fixed width behind the tag.
_SCALARS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_SCALARS |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_LENGTHS = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_LENGTHS |= {0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}
_WIDTH = {">B": 1, ">H": 2, ">I": 4, ">Q": 8, ">b": 1, ">h": 2, ">i": 4, ">q": 8, ">f": 4, ">d": 8}


class _Reader:
    """Reads values from the front; every length is checked before it is used."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise SpecError("values are nested too deep; the file is damaged", field=f"offset {self.at}")
        try:
            tag = self.data[self.at]
        except IndexError:
            raise self._short() from None
        self.at += 1
        if 0xA0 <= tag < 0xC0:  # the most frequent first: this is much of what a start costs
            return self.text(tag & 31)
        if tag < 0x80:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if tag < 0x90:
            return self.map(tag & 15, depth)
        if tag < 0xA0:
            return self.array(tag & 15, depth)
        if tag in (0xC0, 0xC2, 0xC3):
            return None if tag == 0xC0 else tag == 0xC3
        if tag in _SCALARS:
            return self.number(_SCALARS[tag])
        if tag not in _LENGTHS:
            raise SpecError("unknown type byte; the file is damaged", field=f"offset {self.at - 1}", value=tag)
        size = self.number(_LENGTHS[tag])
        if tag < 0xD9:
            return self.take(size)
        if tag < 0xDC:
            return self.text(size)
        read: Callable[[int, int], Any] = self.array if tag < 0xDE else self.map
        return read(size, depth)

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise self._short()
        data = self.data[self.at : end]
        self.at = end
        return data

    def _short(self) -> SpecError:
        return SpecError("the value reaches past the end; the file is cut short", field=f"offset {self.at}")

    def number(self, layout: str) -> Any:
        return unpack_from(layout, self.take(_WIDTH[layout]))[0]

    def text(self, size: int) -> str:
        at = self.at
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as exc:
            raise SpecError("text is not UTF-8; the file is damaged", field=f"offset {at}") from exc

    def array(self, size: int, depth: int) -> list[Any]:
        return [self.read(depth + 1) for _ in range(self._plausible(size))]

    def map(self, size: int, depth: int) -> dict[Any, Any]:
        result = {}
        for _ in range(self._plausible(size)):
            key = self.read(depth + 1)
            if isinstance(key, (list, dict)):
                raise SpecError("a map key is not a plain value; the file is damaged", field=f"offset {self.at}")
            result[key] = self.read(depth + 1)
        return result

    def _plausible(self, size: int) -> int:
        """Refuse counts that the bytes left cannot hold, before memory is asked for."""
        if size > len(self.data) - self.at:
            raise SpecError("a count reaches past the end; the file is damaged", field=f"offset {self.at}", value=size)
        return size
