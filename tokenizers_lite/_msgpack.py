"""A small part of MessagePack: plain values <-> bytes, without imports.

Holds nil, bool, int (64 bit), float (64 bit), str, bin, array and map of the
MessagePack specification (2013 revision, with str and bin apart); extension
types are refused. Used by the compact format, where `json` would cost more
start-up time than all else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_DEPTH = 64


def _error(message: str, **where: Any) -> Exception:
    """Return a SpecError; its module is imported only when something is wrong."""
    from tokenizers_lite.errors import SpecError

    return SpecError(message, **where)


def packb(value: Any) -> bytes:
    """Return `value` as MessagePack; tuples become arrays, mappings maps."""
    out = bytearray()
    _pack(value, out)
    return bytes(out)


def _pack(value: Any, out: bytearray) -> None:
    from struct import pack

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
        raise _error("bytes are left after the value; the file is damaged", field=f"offset {reader.at}")
    return value


# Bytes of the number behind the tag: a value, or the length of what follows.
_UNSIGNED = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_SIGNED = {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FLOATS = {0xCA: 4, 0xCB: 8}
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


class _Reader:
    """Reads values from the front; every length is checked before it is used."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise _error("values are nested too deep; the file is damaged", field=f"offset {self.at}")
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
        if tag in _UNSIGNED or tag in _SIGNED:
            return int.from_bytes(self.take((_UNSIGNED if tag < 0xD0 else _SIGNED)[tag]), "big", signed=tag >= 0xD0)
        if tag in _FLOATS:
            return self.float(_FLOATS[tag])
        if tag not in _LENGTHS:
            raise _error("unknown type byte; the file is damaged", field=f"offset {self.at - 1}", value=tag)
        size = int.from_bytes(self.take(_LENGTHS[tag]), "big")
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

    def _short(self) -> Exception:
        return _error("the value reaches past the end; the file is cut short", field=f"offset {self.at}")

    def float(self, size: int) -> Any:
        from struct import unpack

        return unpack(">f" if size == 4 else ">d", self.take(size))[0]

    def text(self, size: int) -> str:
        at = self.at
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as exc:
            raise _error("text is not UTF-8; the file is damaged", field=f"offset {at}") from exc

    def array(self, size: int, depth: int) -> list[Any]:
        return [self.read(depth + 1) for _ in range(self._plausible(size))]

    def map(self, size: int, depth: int) -> dict[Any, Any]:
        result = {}
        for _ in range(self._plausible(size)):
            key = self.read(depth + 1)
            if isinstance(key, (list, dict)):
                raise _error("a map key is not a plain value; the file is damaged", field=f"offset {self.at}")
            result[key] = self.read(depth + 1)
        return result

    def _plausible(self, size: int) -> int:
        """Refuse counts that the bytes left cannot hold, before memory is asked for."""
        if size > len(self.data) - self.at:
            raise _error("a count reaches past the end; the file is damaged", field=f"offset {self.at}", value=size)
        return size
