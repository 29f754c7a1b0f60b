"""Cutting: a piece of text -> the parts that no merge can reach across.

A merge makes a token. Where no token holds the characters x and y side by
side, no merge can join what ends with x to what begins with y; so BPE of the
two parts, put together, is BPE of the whole. Parts are short and come again,
which whole pieces of Chinese or of text without blanks do not.

This module is for models whose symbols are characters; `byte_cutting` is for
those whose symbols are bytes.
"""

from __future__ import annotations

from operator import add

from tokenizers_lite.pipeline import CUT

# Pairs whose answer is remembered.
ENTRIES = 1 << 17


class Cuts(dict[str, str]):
    """Pair of characters -> the first of them, followed by `CUT` where a text may be cut.

    Args:
        joined: pairs that stand side by side in some token.
    """

    def __init__(self, joined: set[str]) -> None:
        super().__init__()
        self.joined = joined

    def __missing__(self, pair: str) -> str:
        if len(self) >= ENTRIES:
            self.clear()
        value = self[pair] = pair[0] if pair in self.joined else pair[0] + CUT
        return value

    def parts(self, piece: str) -> list[str]:
        """Cut a piece, which must not be empty, wherever that is safe."""
        if CUT in piece:
            return [piece]
        return ("".join(map(self.__getitem__, map(add, piece, piece[1:]))) + piece[-1]).split(CUT)


def of_characters(text: str) -> Cuts:
    r"""Return the cuts for a model whose symbols are characters (byte tokens must not merge).

    Args:
        text: all tokens, with `CUT` between them.

    >>> of_characters("a\0b\0ab").parts("abba")
    ['ab', 'b', 'a']
    """
    return Cuts(set(map(add, text, text[1:])))
