"""Bounds-checked reading and writing of little-endian binary data, and atomic file replacement."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import tempfile
from array import array

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

MAX_FILE_SIZE = 1 << 29  # the largest known tokenizer file is 35 MB; beyond this it is something else


class ByteReader:
    """Read numbers and strings from bytes; every error names the file and the offset.

    Args:
        data: the whole file.
        file: its name, for messages.
        position: where to start.
    """

    def __init__(self, data: bytes, file: str, position: int = 0) -> None:
        self.data = data
        self.file = file
        self.position = position

    @property
    def remaining(self) -> int:
        """Number of bytes not read yet."""
        return len(self.data) - self.position

    def error(self, message: str, position: int | None = None) -> SpecError:
        """Build (not raise) the error for `position`, the current one by default."""
        return SpecError(message, file=self.file, field=f"offset {self.position if position is None else position}")

    def take(self, size: int, what: str) -> bytes:
        """Return the next `size` bytes; SpecError if fewer are left."""
        if size > self.remaining:
            raise self.error(
                f"the file ends inside {what}: {size} bytes needed, {self.remaining} left; is it complete?"
            )
        start = self.position
        self.position = start + size
        return self.data[start : self.position]

    def u8(self, what: str) -> int:
        """Read one byte."""
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        """Read an unsigned 16-bit integer."""
        return int.from_bytes(self.take(2, what), "little")

    def u32(self, what: str) -> int:
        """Read an unsigned 32-bit integer."""
        return int.from_bytes(self.take(4, what), "little")

    def f64(self, what: str) -> float:
        """Read a double."""
        value: float = struct.unpack("<d", self.take(8, what))[0]
        return value

    def count(self, what: str, item_size: int) -> int:
        """Read a 32-bit count and check that as many items of at least `item_size` bytes can follow."""
        start = self.position
        value = self.u32(f"the number of {what}")
        if value * item_size > self.remaining:
            raise self.error(f"{value} {what} cannot fit into the {self.remaining} bytes left", start)
        return value

    def text(self, size: int, what: str) -> str:
        """Read `size` bytes of UTF-8."""
        start = self.position
        try:
            return self.take(size, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"{what} is not UTF-8 ({error.reason})", start + error.start) from None

    def string(self, what: str) -> str:
        """Read a string with a 16-bit length."""
        return self.text(self.u16(f"the length of {what}"), what)


def pack_string(text: str, what: str) -> bytes:
    """Encode a string with a 16-bit length; SpecError if it is too long or holds a lone surrogate."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise SpecError(f"{what} holds a lone surrogate, which UTF-8 cannot", value=text) from None
    if len(data) > 0xFFFF:
        raise SpecError(f"{what} has {len(data)} bytes; the format allows 65,535", value=text)
    return len(data).to_bytes(2, "little") + data


def sized(data: bytes) -> bytes:
    """Put a length before bytes: 7 bits a byte, low first, the high bit on all but the last."""
    length = len(data)
    out = bytearray()
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + data


def numbers(layout: str, values: Iterable[float]) -> bytes:
    """Return numbers as `array` lays them out, little-endian."""
    column = array(layout, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def read_limited(path: str, limit: int = MAX_FILE_SIZE) -> bytes:
    """Return a file's bytes; SpecError if it is larger than `limit`."""
    with open(path, "rb") as file:
        # The size first: read(limit + 1) would set aside that much memory for a file of 200 bytes.
        if os.fstat(file.fileno()).st_size > limit:
            raise SpecError(f"larger than {limit} bytes; this is not a tokenizer file", file=path)
        return file.read()


@contextlib.contextmanager
def replacing(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """Open a temporary file beside `path` that takes its place when the block ends without an error.

    Yields the open file and its name. Whatever happens before the rename,
    a kill included, leaves an existing file at `path` as it was.
    """
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {folder}")
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~_umask()
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
