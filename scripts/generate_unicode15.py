"""Write vocab_converters/emulate/_unicode15_data.py: what the C++ readers know of Unicode.

Run with a Python whose unicodedata is exactly 15.0.0 (CPython 3.12):

    python3.12 scripts/generate_unicode15.py > vocab_converters/emulate/_unicode15_data.py

The readers' engine distinguishes eight classes of code points, and lower-cases
by the one-to-one mapping. Both are stored as run lengths, deflated.
"""

from __future__ import annotations

import base64
import sys
import unicodedata
import zlib

CLASSES = {"L": 1, "N": 2, "M": 5, "P": 6, "S": 7}


def fold_class(code: int) -> int:
    """Return the class byte of a code point: 1 L, 2 N, 3 Zs, 5 M, 6 P, 7 S, 8 Cc, 4 the rest."""
    category = unicodedata.category(chr(code))
    if category == "Zs":
        return 3
    if category == "Cc":
        return 8
    return CLASSES.get(category[0], 4)


def varint(value: int) -> bytes:
    """Encode an unsigned integer, seven bits a byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def runs() -> bytes:
    """Encode (length, class) runs over all code points."""
    out = bytearray()
    start, current = 0, fold_class(0)
    for code in range(1, 0x110001):
        now = fold_class(code) if code < 0x110000 else -1
        if now != current:
            out += varint(code - start) + bytes([current])
            start, current = code, now
    return bytes(out)


def lower() -> bytes:
    """Encode the one-to-one lower-case pairs: gap to the previous source, zigzag distance."""
    out = bytearray()
    previous = 0
    for code in range(0x110000):
        mapped = chr(code).lower()
        target = ord("i") if code == 0x130 else ord(mapped)
        if target != code:
            distance = target - code
            out += varint(code - previous) + varint(distance << 1 if distance >= 0 else (-distance << 1) - 1)
            previous = code
    return bytes(out)


def literal(name: str, data: bytes) -> str:
    """Format data as a module-level constant."""
    text = base64.b85encode(zlib.compress(data, 9)).decode()
    lines = [text[i : i + 100] for i in range(0, len(text), 100)]
    return f"{name} = (\n" + "\n".join(f"    {line!r}" for line in lines).replace("'", '"') + "\n)\n"


if unicodedata.unidata_version != "15.0.0":
    sys.exit(f"unicodedata is {unicodedata.unidata_version}; this needs 15.0.0 (CPython 3.12)")
print('"""Unicode 15.0 data of the C++ readers; written by scripts/generate_unicode15.py."""\n')
print(literal("RUNS", runs()))
print(literal("LOWER", lower()), end="")
