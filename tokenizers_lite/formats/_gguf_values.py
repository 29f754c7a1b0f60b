"""The key-value section of a GGUF file: bytes -> the values of a tokenizer."""

from __future__ import annotations

from struct import Struct, error

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STRING, _ARRAY = 8, 9
_SCALARS = {i: Struct("<" + code) for i, code in zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True)}
_U32, _U64 = _SCALARS[4], _SCALARS[10]


class Reader:
    """Reads the key-value section; every length is checked against what is left of the file."""

    def __init__(self, data: Any, name: str) -> None:
        self.data = data
        self.size = len(data)
        self.name = name
        self.at = 0

    def read(self) -> dict[str, Any]:
        """Give the values whose key starts with ``tokenizer.``."""
        if self.data[:4] != b"GGUF":
            raise self.error("this is no GGUF file (or one of a big-endian machine)")
        self.at = 4
        version = self.scalar(_U32)
        if version not in (2, 3):
            raise self.error(f"expected GGUF version 2 or 3, not {version}")
        self.scalar(_U64)  # tensors
        values = {}
        for _ in range(self.count(13)):
            key = self.string()
            kind = self.scalar(_U32)
            value = self.value(kind, key.startswith("tokenizer."))
            if value is not None:
                values[key] = value
        return values

    def error(self, message: str) -> SpecError:
        """Make the error for the place that was reached."""
        return SpecError(message, file=self.name, field=f"offset {self.at:#x}")

    def scalar(self, layout: Struct) -> Any:
        """Read one number."""
        try:
            (value,) = layout.unpack_from(self.data, self.at)
        except error:
            raise self.error("the header is cut short") from None
        self.at += layout.size
        return value

    def count(self, least: int) -> int:
        """Read a number of items that take at least so many bytes each."""
        count: int = self.scalar(_U64)
        if count * least > self.size - self.at:
            raise self.error(f"the header is cut short: it announces {count} items")
        return count

    def string(self) -> str:
        """Read a string."""
        size = self.count(1)
        self.at += size
        try:
            return str(self.data[self.at - size : self.at], "utf-8")
        except UnicodeDecodeError:
            self.at -= size
            raise self.error("not UTF-8") from None

    def skip(self) -> None:
        """Pass over a string."""
        size = self.count(1)
        self.at += size

    def value(self, kind: int, wanted: bool) -> Any:
        """Read a value of a type; None if it is not wanted."""
        if kind == _STRING:
            if wanted:
                return self.string()
            self.skip()
            return None
        if kind == _ARRAY:
            return self.array(wanted)
        if kind not in _SCALARS:
            raise self.error(f"unknown type of value {kind}")
        value = self.scalar(_SCALARS[kind])
        return value if wanted else None

    def array(self, wanted: bool) -> list[Any] | None:
        """Read an array of numbers or strings."""
        kind = self.scalar(_U32)
        if kind == _STRING:
            count = self.count(8)
            if wanted:
                return [self.string() for _ in range(count)]
            for _ in range(count):
                self.skip()
            return None
        if kind not in _SCALARS:
            raise self.error(f"arrays of the type {kind} are not known")
        layout = _SCALARS[kind]
        count = self.count(layout.size)
        start = self.at
        self.at += count * layout.size
        if not wanted:
            return None
        code = layout.format[1:]
        return list(Struct(f"<{count}{code}").unpack_from(self.data, start))
