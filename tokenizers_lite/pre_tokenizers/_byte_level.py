"""ByteLevel: GPT-2's pattern and byte alphabet."""

from __future__ import annotations

from tokenizers_lite.byte_alphabet import CHARS, to_alphabet
from tokenizers_lite.pre_tokenizers._base import PreTokenizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.pre_tokenizers._base import Splitter

# What the ByteLevel of tokenizers splits with (pre_tokenizers/byte_level.rs).
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class ByteLevel(PreTokenizer):
    """Optionally puts a blank in front, cuts, then maps the bytes of each piece to their characters.

    Args:
        splitter: how to cut.
        add_prefix_space: whether a text that does not start with a blank gets one.
    """

    def __init__(self, splitter: Splitter, add_prefix_space: bool) -> None:
        self._splitter = splitter
        self._prefix_space = add_prefix_space

    def pre_tokenize(self, text: str, first: bool) -> list[str]:  # noqa: ARG002
        """Return the pieces of a text in the byte alphabet."""
        if self._prefix_space and text and text[0] != " ":
            text = " " + text
        return list(map(to_alphabet, self._splitter.pieces(text)))

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:
        """Return the pieces of a text in the byte alphabet, each with its origin."""
        if self._prefix_space and text.text[:1] != " ":
            text = text.prepend(" ")
        return [
            piece.transform(_byte_characters(piece.text)) for piece in self._splitter.pre_tokenize_aligned(text, first)
        ]


def _byte_characters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the characters of a text's bytes; those after a character's first byte are new."""
    for character in text:
        for number, byte in enumerate(character.encode()):
            yield CHARS[byte], int(number > 0)
