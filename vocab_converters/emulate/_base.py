"""What all three C++ readers share: special tokens first, then the type's own encoder."""

from __future__ import annotations

import re

from vocab_converters.emulate._regex import ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vocab_converters._header import Header

MNN_LLM, NATIVE, MNN = READERS = ("mnn-llm", "native-llm", "mnn")


def _alphabet() -> list[str]:
    """Return GPT-2's character for each byte."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


ALPHABET = _alphabet()
TO_ALPHABET = {byte: ord(char) for byte, char in enumerate(ALPHABET)}
FROM_ALPHABET = {char: byte for byte, char in enumerate(ALPHABET)}
MARKER = "▁"


def to_alphabet(data: bytes) -> str:
    """Map each byte to its character of the byte alphabet."""
    return data.decode("latin-1").translate(TO_ALPHABET)


def as_bytes(text: str | bytes) -> bytes:
    """Return UTF-8; a lone surrogate becomes U+FFFD, as Java's and Python's encoders can be told to do."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        from tokenizers_lite.tokenizer import scalars

        return scalars(text).encode("utf-8")


class Emulated:
    """A vocabulary file as one C++ reader sees it.

    Attributes:
        reader: "mnn-llm" (2025-01), "native-llm" (2026-07) or "mnn" (2026-08).
        header: the file's three text lines.

    `encode` and `decode` give what the C++ gives, mistakes included, and
    raise `ReaderError` where it would throw or abort.
    """

    def __init__(self, reader: str, header: Header) -> None:
        self.reader = reader
        self.header = header
        self._specials: re.Pattern[bytes] | None = None
        self._special_ids: dict[bytes, int] = {}

    def _cache_specials(self) -> None:
        """Build the search for special tokens: at each byte the first of the list that fits wins."""
        patterns = []
        for number in self.header.special:
            text = self.decode_id(number)
            if text and text not in self._special_ids:
                self._special_ids[text] = number
                patterns.append(self._special_pattern(text))
        if patterns:
            self._specials = re.compile(b"|".join(patterns), re.DOTALL)

    def _special_pattern(self, text: bytes) -> bytes:
        """Return a regex for one special token; MNN's strncmp compares no further than a NUL."""
        head, nul, rest = text.partition(b"\0")
        if nul and self.reader == MNN:
            return re.escape(head) + b"\\x00" + b".{%d}" % len(rest)
        return re.escape(text)

    def _special_id(self, matched: bytes) -> int:
        """Return the id of matched bytes; what follows a NUL may differ from the token."""
        found = self._special_ids.get(matched)
        if found is not None:
            return found
        alike = (token for token in self._special_ids if len(token) == len(matched))
        head = matched.partition(b"\0")[0]
        return next(self._special_ids[token] for token in alike if token.partition(b"\0")[0] == head)

    def encode(self, text: str | bytes) -> list[int]:
        """Return the ids the reader gives for a text, prefix ids included."""
        data = as_bytes(text)
        ids = list(self.header.prefix)
        start = 0
        if self._specials is not None:
            for match in self._specials.finditer(data):
                if match.start() > start:
                    ids += self.encode_segment(data[start : match.start()])
                ids.append(self._special_id(match.group()))
                start = match.end()
        if start < len(data) or (self._specials is None and not data):
            ids += self.encode_segment(data[start:])
        return ids

    def encode_segment(self, data: bytes) -> list[int]:
        """Encode text between special tokens."""
        raise NotImplementedError

    def decode_id(self, number: int) -> bytes:
        """Return what the reader prints for one id, as a streaming app does."""
        raise NotImplementedError

    def decode(self, ids: Iterable[int]) -> bytes:
        """Return what the reader gives for a list of ids."""
        return b"".join(map(self.decode_id, ids))

    def is_stop(self, number: int) -> bool:
        """Tell whether the reader stops at an id; native-llm drops the stop ids of the file."""
        return self.reader != NATIVE and number in self.header.stop


def bounded_cache(function: Callable[[str], list[int]], size: int = 65536) -> Callable[[str], list[int]]:
    """Remember the results for short pieces, up to `size` of them."""
    known: dict[str, list[int]] = {}

    def cached(piece: str) -> list[int]:
        found = known.get(piece)
        if found is None:
            found = function(piece)
            if len(piece) < 64:
                if len(known) >= size:
                    known.clear()
                known[piece] = found
        return found

    return cached


__all__ = [
    "ALPHABET", "FROM_ALPHABET", "MARKER", "MNN", "MNN_LLM", "NATIVE", "READERS", "Emulated", "ReaderError", "as_bytes",
    "bounded_cache", "to_alphabet",
]  # fmt: skip
