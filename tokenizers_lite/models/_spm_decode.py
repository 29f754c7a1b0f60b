"""Ids -> text the way sentencepiece decodes them, one id at a time.

Semantics are those of sentencepiece 0.2.3 (sentencepiece_processor.cc,
DecodeOptimized), except that ids out of range are passed over instead of
raising, as the other decoders of this package do.
"""

from __future__ import annotations

import re
from codecs import utf_8_decode

from tokenizers_lite.models._spm_text import MARKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_UNKNOWN, _CONTROL, _BYTE = 2, 3, 6
# What the error handler "surrogateescape" makes of bytes that are not UTF-8, one character each.
ESCAPED = re.compile("[\udc80-\udcff]")


class Surfaces(dict[int, str]):
    """Id -> its text anywhere but at the beginning; a byte that is not ASCII as a lone surrogate."""

    def __init__(self, pieces: Sequence[tuple[str, float, int]], unk_surface: str) -> None:
        super().__init__()
        self._pieces = pieces
        self._unk_surface = unk_surface

    def __missing__(self, id: int) -> str:  # noqa: A002 - the key's own term
        if not 0 <= id < len(self._pieces):
            return ""
        text, _, kind = self._pieces[id]
        if kind == _BYTE:
            text = bytes((int(text[3:5], 16),)).decode("utf-8", "surrogateescape")
        elif kind == _CONTROL:
            text = ""
        else:
            text = self._unk_surface if kind == _UNKNOWN else text.replace(MARKER, " ")
        self[id] = text
        return text


class StreamDecoder:
    """Takes ids, gives text; everything it gave put together is the decoded text.

    Args:
        pieces: (text, score, type) by id.
        unk_surface: what an unknown piece stands for.
        strip: drop the blank of the first piece (dummy prefix or squeezed blanks) ...
        strip_all: ... and of the ones after it, until there is text.
        denormalize: applied to the whole text; nothing is given before `finish` then.
        raw: give bytes that are not UTF-8 as lone surrogates ("surrogateescape"), not as U+FFFD.
    """

    def __init__(
        self,
        pieces: Sequence[tuple[str, float, int]],
        unk_surface: str,
        *,
        strip: bool,
        strip_all: bool,
        denormalize: Callable[[str], str] | None,
        raw: bool = False,
    ) -> None:
        self._pieces = pieces
        self._unk_surface = unk_surface
        self._strip_all = strip_all
        self._denormalize = denormalize
        self._raw = raw
        self._at_start = strip or strip_all
        self._bytes = b""
        self._held: list[str] = []

    @property
    def is_beginning(self) -> bool:
        """Whether what comes next depends on more than the id."""
        return self._at_start or bool(self._bytes)

    def push(self, id: int) -> str:  # noqa: A002 - the argument's own term
        """Take one id and return the text that is certain now."""
        text = self._next(id)
        if text:
            self._at_start = False
            if self._denormalize is not None:
                self._held.append(text)
                return ""
        return text

    def finish(self) -> str:
        """Return what was held back."""
        text = self._flush()
        if self._denormalize is None:
            return text
        whole, self._held = "".join(self._held) + text, []
        return self._denormalize(whole)

    def _next(self, id: int) -> str:  # noqa: A002
        if not 0 <= id < len(self._pieces):
            return ""
        text, _, kind = self._pieces[id]
        if kind == _BYTE:
            self._bytes += bytes((int(text[3:5], 16),))
            return self._flush(final=False)
        before = self._flush() if self._bytes else ""
        if kind == _CONTROL:
            return before
        if kind == _UNKNOWN:
            return before + self._unk_surface
        if self._at_start and not before and text.startswith(MARKER):
            text = text[1:]
            self._at_start = self._strip_all
        return before + text.replace(MARKER, " ")

    def _flush(self, *, final: bool = True) -> str:
        """Decode the bytes at hand, but for the start of a character that may still come."""
        text, used = utf_8_decode(self._bytes, "surrogateescape", final)
        self._bytes = self._bytes[used:]
        return text if self._raw else ESCAPED.sub("\ufffd", text)
