"""Strip, StripAccents, Lowercase and Nmt."""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite.normalizers import Normalizer
from tokenizers_lite.normalizers._classes import CharClass, Lower

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.spec import normalizers as specs


class Strip(Normalizer):
    """Drop white space at the ends."""

    def __init__(self, spec: specs.Strip) -> None:
        self.left = spec.strip_left
        self.right = spec.strip_right
        self._blank = "".join(_unicode.characters("rust:whitespace"))

    def normalize(self, text: str) -> str:
        """Return the text without white space at the chosen ends."""
        if self.left:
            text = text.lstrip(self._blank)
        return text.rstrip(self._blank) if self.right else text

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same, each end for itself unless both are stripped, as tokenizers does."""
        if self.left and self.right:
            return self._align(text, left=True, right=True)
        if self.left:
            return self._align(text, left=True, right=False)
        return self._align(text, left=False, right=True) if self.right else text

    def _align(self, text: NormalizedString, left: bool, right: bool) -> NormalizedString:
        whole = text.text
        leading = len(whole) - len(whole.lstrip(self._blank)) if left else 0
        trailing = len(whole) - len(whole.rstrip(self._blank)) if right else 0
        if not leading and not trailing:
            return text
        kept = whole[leading : len(whole) - trailing] if leading < len(whole) else ""
        return text.transform(((char, 0) for char in kept), leading)


class StripAccents(Normalizer):
    """Drop combining marks."""

    def __init__(self, spec: specs.StripAccents) -> None:
        del spec
        self._marks = CharClass("hf:combiningmark")

    def normalize(self, text: str) -> str:
        """Return the text without marks."""
        return text if text.isascii() else self._marks.replaced(text, "")

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same."""
        return text.filter(self._marks.lacks)


class Lowercase(Normalizer):
    """Lower-case each character."""

    def __init__(self, spec: specs.Lowercase) -> None:
        del spec
        self._lower = Lower()

    def normalize(self, text: str) -> str:
        """Return the text in lower case."""
        return self._lower.lower(text)

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same."""
        return self._lower.align(text)


class Nmt(Normalizer):
    """Drop control characters, turn format characters and the like into blanks."""

    # tokenizers, normalizers/unicode.rs, do_nmt
    _DROPPED = frozenset(map(chr, (*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F)))
    _BLANK = frozenset("\t\n\f\r\u1680\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd")

    def __init__(self, spec: specs.Nmt) -> None:
        del spec
        self._blanks = dict.fromkeys(map(ord, self._BLANK), " ")
        self._map: dict[int, str | None] = {**dict.fromkeys(map(ord, self._DROPPED)), **self._blanks}

    def normalize(self, text: str) -> str:
        """Return the cleaned text."""
        return text.translate(self._map)

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same."""
        text = text.filter(lambda char: char not in self._DROPPED)
        return text.map(text.text.translate(self._blanks))
