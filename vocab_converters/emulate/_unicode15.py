"""Unicode 15.0 as the C++ readers see it: code point -> class, fold byte, lower case."""

from __future__ import annotations

import base64
import functools
import zlib
from bisect import bisect_right

from vocab_converters.emulate._unicode15_data import LOWER, RUNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LETTER, NUMBER, SPACE, OTHER, MARK, PUNCTUATION, SYMBOL, CONTROL = range(1, 9)


def _varints(data: bytes) -> Iterator[int]:
    """Decode integers stored seven bits a byte."""
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


@functools.cache
def _runs() -> tuple[list[int], list[int]]:
    """Return the first code points of all runs and their classes."""
    starts, classes, position = [], [], 0
    numbers = _varints(zlib.decompress(base64.b85decode(RUNS)))
    for length, kind in zip(numbers, numbers, strict=True):
        starts.append(position)
        classes.append(kind)
        position += length
    return starts, classes


@functools.cache
def lower_map() -> dict[int, int]:
    """Return the one-to-one lower-case mapping."""
    mapping, source = {}, 0
    numbers = _varints(zlib.decompress(base64.b85decode(LOWER)))
    for gap, distance in zip(numbers, numbers, strict=True):
        source += gap
        mapping[source] = source + (distance >> 1 if not distance & 1 else -(distance + 1 >> 1))
    return mapping


def unicode_class(code: int) -> int:
    """Return the class of a code point; an undecodable byte (a lone surrogate here) is U+FFFD."""
    if 0xDC80 <= code <= 0xDCFF:
        return SYMBOL
    starts, classes = _runs()
    return classes[bisect_right(starts, code) - 1]


def is_whitespace(code: int) -> bool:
    """Tell whether the readers call it white space: six ASCII characters and Zs, so not U+0085 or U+2028."""
    return code in (9, 10, 11, 12, 13, 32) or unicode_class(code) == SPACE


class FoldTable(dict[int, int]):
    """A `str.translate` table to fold bytes: ASCII is itself, the rest its class."""

    def __missing__(self, code: int) -> int:
        kind = code if code < 128 else unicode_class(code)
        self[code] = value = OTHER if kind == CONTROL and code >= 128 else kind
        return value


FOLD = FoldTable()
