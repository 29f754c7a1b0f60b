"""Large inputs: texts that come in parts, and files, encoded in bounded memory.

The ids are those of `Tokenizer.encode` of the whole text: it is cut at seams
only (`seams`, which has the argument). Tokenizers without seams
(sentencepiece models, unusual pre-tokenizers), and texts in which none turns up,
are held whole.
"""

from __future__ import annotations

import os
import sys
from array import array

from tokenizers_lite.added import skipping
from tokenizers_lite.errors import TextError, VocabError
from tokenizers_lite.seams import Seams
from tokenizers_lite.tokenizer import scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from tokenizers_lite.added import Special
    from tokenizers_lite.tokenizer import Tokenizer

# Characters that are gathered before they are encoded.
WINDOW = 1 << 16
# Bytes that are read at once.
_BLOCK = 1 << 18
# Name of a kind of number, as numpy has it -> the letter that `array` has for it.
DTYPES = {"uint16": "H", "uint32": "I"}


def encode_stream(
    tokenizer: Tokenizer,
    parts: Iterable[str],
    *,
    add_special_tokens: bool = True,
    allowed_special: Special = "all",
    window: int = WINDOW,
) -> Iterator[array[int]]:
    """Yield the ids of a text that comes in parts, cut anywhere; see `Tokenizer.encode_stream`."""
    seams = Seams(tokenizer, skipping(allowed_special))
    if not seams.possible:
        options = {"add_special_tokens": add_special_tokens, "allowed_special": allowed_special}
        yield array("I", tokenizer.encode("".join(parts), **options))  # type: ignore[arg-type]
        return
    before, after = (tokenizer._components.frame or ((), ())) if add_special_tokens else ((), ())
    if before:
        yield array("I", before)
    held, limit, goes_on = "", window, False
    for text in _gathered(parts, window):
        held += text
        seam = seams.last(held, goes_on) if len(held) >= limit else 0
        if seam:
            yield array("I", seams.encode(held[:seam], goes_on))
            held, goes_on, limit = held[seam:], True, window
        elif len(held) >= limit:  # looking again after every part would take quadratic time
            limit = 2 * len(held)
    if held:
        yield array("I", seams.encode(held, goes_on))
    if after:
        yield array("I", after)


def _gathered(parts: Iterable[str], size: int) -> Iterator[str]:
    """Yield the text of `parts` in pieces of about `size` characters, surrogates put right."""
    waiting: list[str] = []
    length = 0
    for part in parts:
        waiting.append(part)
        length += len(part)
        if length >= size:
            text = "".join(waiting)
            last = text[-1:] if "\ud800" <= text[-1] <= "\udbff" else ""  # half of a character
            yield scalars(text[: len(text) - len(last)])
            waiting, length = [last], len(last)
    if length:
        yield scalars("".join(waiting))


def read_text(file: BinaryIO, name: str, errors: str = "strict") -> Iterator[tuple[str, int]]:
    """Yield (text, bytes it took) of a file in UTF-8; no newline is changed.

    Raises:
        TextError: bytes that are not UTF-8, with their place, unless `errors` is "replace".
    """
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    done = 0  # bytes before those that the decoder looks at next
    while True:
        block = file.read(_BLOCK)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise TextError(
                f"{name} is not UTF-8: byte {done - pending + error.start:,} ({error.reason}); errors='replace' puts "
                "U+FFFD there",
                offset=done - pending + error.start,
            ) from None
        done += len(block)
        if text or block:
            yield text, len(block)
        if not block:
            return


def encode_file(
    tokenizer: Tokenizer,
    source: str | os.PathLike[str] | BinaryIO,
    target: str | os.PathLike[str],
    *,
    dtype: str | None = None,
    add_special_tokens: bool = True,
    allowed_special: Special = "all",
    errors: str = "strict",
) -> tuple[int, str]:
    """Write the ids of a file to another; see `Tokenizer.encode_file`."""
    code = DTYPES[_dtype(tokenizer, dtype)]
    is_path = isinstance(source, (str, os.PathLike))
    name = os.fspath(source) if is_path else str(getattr(source, "name", "the input"))  # type: ignore[arg-type]
    temporary = f"{os.fspath(target)}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as out, _opened(source) as file:
            count, checksum = _pour(
                encode_stream(
                    tokenizer,
                    _with_bar(file, name, errors),
                    add_special_tokens=add_special_tokens,
                    allowed_special=allowed_special,
                ),
                out,
                code,
            )
        _verify(temporary, count * array(code).itemsize, checksum)
        os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return count, next(name for name, letter in DTYPES.items() if letter == code)


def _dtype(tokenizer: Tokenizer, dtype: str | None) -> str:
    """Return the kind of number to write: the smallest that holds every id, or the one asked for.

    Raises:
        VocabError: it does not hold every id.
        ValueError: it is none of `DTYPES`.
    """
    highest = max(tokenizer.vocab_size - 1, max((token.id for token in tokenizer.spec.added_tokens), default=0))
    smallest = "uint16" if highest < 1 << 16 else "uint32"
    if dtype is None:
        return smallest
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    if smallest == "uint32" and dtype == "uint16":
        raise VocabError(f"ids of {tokenizer!r} go up to {highest:,}, more than uint16 holds; use uint32")
    return dtype


def _opened(source: str | os.PathLike[str] | BinaryIO) -> AbstractContextManager[BinaryIO]:
    from contextlib import nullcontext

    if isinstance(source, (str, os.PathLike)):
        return open(source, "rb")
    return nullcontext(source)  # who opened it closes it


def _size(file: BinaryIO) -> int | None:
    """Return how large a file is, None where nobody knows (a pipe, memory)."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


def _with_bar(file: BinaryIO, name: str, errors: str) -> Iterator[str]:
    """Yield the text of a file while a bar on stderr shows how much has been read."""
    from tokenizers_lite.progress import Bar

    with Bar(os.path.basename(name), _size(file)) as bar:
        for text, read in read_text(file, name, errors):
            yield text
            bar.update(read)


def _pour(chunks: Iterable[array[int]], out: BinaryIO, code: str) -> tuple[int, int]:
    """Write ids as little-endian numbers; return how many and their CRC-32."""
    from zlib import crc32

    count = checksum = 0
    for ids in chunks:
        column = array(code, ids)
        if sys.byteorder == "big":
            column.byteswap()
        data = column.tobytes()
        out.write(data)
        count += len(column)
        checksum = crc32(data, checksum)
    return count, checksum


def _verify(path: str, size: int, checksum: int) -> None:
    """Read a file back.

    Raises:
        OSError: it does not hold what was written, as on a full or failing disk.
    """
    from zlib import crc32

    found = length = 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found = crc32(block, found)
            length += len(block)
    if (length, found) != (size, checksum):
        raise OSError(f"{path} does not hold what was written to it ({length:,} bytes of {size:,}); check the disk")
