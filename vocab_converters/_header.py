"""The three text lines that begin every 430 file: bytes <-> Header."""

from __future__ import annotations

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError

MAGIC = 430
SENTENCEPIECE, TIKTOKEN, BERT, HUGGINGFACE, PIPELINE = range(5)
TYPE_NAMES = ("SENTENCEPIECE", "TIKTOKEN", "BERT", "HUGGINGFACE", "PIPELINE")
MAX_ID = 2**31 - 1


class Header(Record):
    """Type of the file and its special, stop and prefix ids, in file order.

    `blank` tells that a blank ends the line of ids, as in stock text files.
    """

    type: int
    special: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()
    prefix: tuple[int, ...] = ()
    blank: bool = False


def is_430(data: bytes) -> bool:
    """Tell whether data begins like a 430 file."""
    return data[:4] == b"430 "


def parse_header(data: bytes, file: str) -> tuple[Header, int]:
    """Return the header and the offset of the first byte behind it.

    Raises:
        SpecError: naming the line, for a wrong magic number, CRLF line ends,
            negative or missing numbers, an unknown type.
    """
    lines = data.split(b"\n", 3)
    if lines[0].endswith(b"\r"):
        raise SpecError(
            "lines end in CRLF, which shifts every token; copy the file in binary mode", file=file, field="line 1"
        )
    first = lines[0].split()
    if not first or first[0] != b"430":
        raise SpecError("not a 430 file: line 1 must be '430 TYPE'", file=file, field="line 1", value=lines[0][:40])
    if len(first) != 2 or first[1] not in (b"0", b"1", b"2", b"3", b"4"):
        raise SpecError("unknown type of 430 file; 0 to 4 are known", file=file, field="line 1", value=lines[0][:40])
    if len(lines) < 4:
        raise SpecError("the file ends inside its header of three lines", file=file, field=f"line {len(lines)}")
    counts = _numbers(lines[1], file, 2)
    if len(counts) != 3:
        raise SpecError("line 2 must hold three counts (special, stop, prefix)", file=file, field="line 2")
    if sum(counts) > len(lines[2]):  # each number takes a digit and a blank
        raise SpecError("line 2 promises more ids than line 3 holds", file=file, field="line 2", value=counts)
    ids = _numbers(lines[2], file, 3)
    if len(ids) != sum(counts):
        raise SpecError(f"line 2 promises {sum(counts)} ids, line 3 holds {len(ids)}", file=file, field="line 3")
    special, stop, _ = counts
    parts = (tuple(ids[:special]), tuple(ids[special : special + stop]), tuple(ids[special + stop :]))
    header = Header(int(first[1]), *parts, lines[2].endswith(b" "))
    return header, sum(len(line) + 1 for line in lines[:3])


def emit_header(header: Header) -> bytes:
    """Return the three lines of a header."""
    ids = header.special + header.stop + header.prefix
    counts = f"{len(header.special)} {len(header.stop)} {len(header.prefix)}"
    return f"{MAGIC} {header.type}\n{counts}\n{' '.join(map(str, ids))}{' ' * header.blank}\n".encode("ascii")


def _numbers(line: bytes, file: str, number: int) -> list[int]:
    """Parse blank-separated non-negative integers."""
    values = []
    for word in line.split():
        if not word.isdigit():  # on bytes: ASCII digits only, so no sign and no CR
            raise SpecError(
                "expected a number that is not negative", file=file, field=f"line {number}", value=word[:40]
            )
        value = int(word) if len(word) < 11 else MAX_ID + 1
        if value > MAX_ID:
            raise SpecError("number out of range", file=file, field=f"line {number}", value=word[:40])
        values.append(value)
    return values
