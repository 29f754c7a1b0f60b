"""Metaspace: sentencepiece's marker for blanks."""

from __future__ import annotations

from tokenizers_lite.pre_tokenizers._base import PreTokenizer, Whole
from tokenizers_lite.pre_tokenizers._classes import split_at_character

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.spec import pre_tokenizers as specs


class Metaspace(PreTokenizer):
    """Replaces blanks by a marker, optionally puts one in front and cuts before each."""

    def __init__(self, spec: specs.Metaspace) -> None:
        self._marker = spec.replacement
        self._scheme = spec.prepend_scheme
        self._splitter = split_at_character(self._marker, "MergedWithNext") if spec.split else Whole()
        self.by_origin = spec.prepend_scheme == "first"

    def _prepends(self, text: str, first: bool) -> bool:
        if self._scheme == "never" or not text or text[0] == self._marker:
            return False
        return first or self._scheme == "always"

    def pre_tokenize(self, text: str, first: bool) -> list[str]:
        """Return the pieces of a text."""
        text = text.replace(" ", self._marker)
        if self._prepends(text, first):
            text = self._marker + text
        return self._splitter.pieces(text)

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:
        """Return the pieces of a text, each with its origin."""
        blanks = ((at, at + 1) for at, character in enumerate(text.text) if character == " ")
        text = text.replace(blanks, self._marker)
        if self._prepends(text.text, first):
            text = text.prepend(self._marker)
        return self._splitter.pre_tokenize_aligned(text, first)
