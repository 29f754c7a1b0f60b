"""Cutting: a piece of text -> the parts that no merge can reach across.

A merge makes a token. Where no token holds the characters x and y side by
side, no merge can join what ends with x to what begins with y; so BPE of the
two parts, put together, is BPE of the whole. Parts are short and come again,
which whole pieces of Chinese or of text without blanks do not.
"""

from __future__ import annotations

from operator import add

from tokenizers_lite.byte_alphabet import BYTES
from tokenizers_lite.pipeline import CUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# Pairs whose answer is remembered.
_ENTRIES = 1 << 17
# Stands between tokens in the bytes of all of them: no byte of UTF-8.
_BETWEEN = b"\xff"
_ESCAPE = 0xDC00  # what "surrogateescape" adds to a byte


class Cuts(dict[str, str]):
    """Pair of characters -> the first of them, followed by `CUT` where a text may be cut.

    Args:
        joined: pairs that stand side by side in some token. For tokens made of
            bytes, half a character at the end of one is in it as the escaped
            byte next to the other character.
        by_bytes: tokens are made of bytes.
        fragile: bytes that leave no symbol, so that their neighbours meet.
    """

    def __init__(self, joined: set[str], by_bytes: bool = False, fragile: Collection[int] = ()) -> None:
        super().__init__()
        self.joined = joined
        self.by_bytes = by_bytes
        self.fragile = frozenset(fragile)

    def __missing__(self, pair: str) -> str:
        if len(self) >= _ENTRIES:
            self.clear()
        value = self[pair] = pair[0] if self._is_joined(pair) else pair[0] + CUT
        return value

    def _is_joined(self, pair: str) -> bool:
        if pair in self.joined:
            return True
        if not self.by_bytes:
            return False
        # Only pairs beyond ASCII were collected.
        if pair[0] < "\x80" or pair[1] < "\x80" or not self.fragile.isdisjoint(pair.encode()):
            return True
        last = chr(_ESCAPE + pair[0].encode()[-1])
        lead = chr(_ESCAPE + pair[1].encode()[0])
        return not self.joined.isdisjoint((pair[0] + lead, last + pair[1], last + lead))

    def parts(self, piece: str) -> list[str]:
        """Cut a piece, which must not be empty, wherever that is safe."""
        if CUT in piece:
            return [piece]
        return ("".join(map(self.__getitem__, map(add, piece, piece[1:]))) + piece[-1]).split(CUT)


def of_characters(tokens: Iterable[str]) -> Cuts:
    """Return the cuts for a model whose symbols are characters (byte tokens must not merge).

    >>> of_characters(["a", "b", "ab"]).parts("abba")
    ['ab', 'b', 'a']
    """
    text = CUT.join(tokens)
    return Cuts(set(map(add, text, text[1:])))


def of_bytes(tokens: Iterable[bytes], fragile: Collection[int] = ()) -> Cuts:
    """Return the cuts for a model whose symbols are bytes; only between characters beyond ASCII.

    Args:
        tokens: their bytes, in any order.
        fragile: bytes that have no token.
    """
    import re

    text = _BETWEEN.join(tokens).decode("utf-8", "surrogateescape")
    joined: set[str] = set()
    for run in re.findall("[^\0-\x7f\udcff]{2,}", text):
        joined.update(map(add, run, run[1:]))
    return Cuts(joined, by_bytes=True, fragile=fragile)


def token_bytes(tokens: Iterable[str]) -> list[bytes]:
    """Return the bytes of tokens in the byte alphabet; other characters become 0xFF, which is in no text."""
    table = _ToLatin({ord(char): chr(byte) for char, byte in BYTES.items()} | {ord("\n"): "\u0100"})
    return [token.encode("latin-1") for token in "\n".join(tokens).translate(table).split("\u0100")]


class _ToLatin(dict[int, str]):
    """Character of the alphabet -> Latin-1 character of its byte; all others -> 0xFF."""

    def __missing__(self, code: int) -> str:
        return "\xff"
