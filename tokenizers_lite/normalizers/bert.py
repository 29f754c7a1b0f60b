"""BertNormalizer: the cleaning that BERT's tokenizer does before it splits."""

from __future__ import annotations

from tokenizers_lite.normalizers import Normalizer
from tokenizers_lite.normalizers._classes import CharClass, Lower
from tokenizers_lite.normalizers.forms import NFD
from tokenizers_lite.spec import normalizers as specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString


MOST_SPACED = 50_000


class _Spaced(dict[int, str]):
    """A character -> itself, with blanks around it if it is of the class."""

    def __init__(self, spaced: CharClass) -> None:
        super().__init__()
        self.spaced = spaced

    def __missing__(self, code: int) -> str:
        char = chr(code)
        found = self[code] = f" {char} " if char in self.spaced else char
        return found


class BertNormalizer(Normalizer):
    """Drop controls, set CJK characters apart, strip accents, lower-case: each if asked for."""

    def __init__(self, spec: specs.BertNormalizer) -> None:
        self.clean_text = spec.clean_text
        self.handle_chinese_chars = spec.handle_chinese_chars
        self.strip_accents = spec.lowercase if spec.strip_accents is None else spec.strip_accents
        self.lowercase = spec.lowercase
        self._removed = CharClass("hf:bertremoved")
        self._blank = CharClass("hf:bertspace", "%s")
        self._chinese = CharClass("hf:bertchinese", "%s")
        self._spaced = _Spaced(self._chinese)
        self._marks = CharClass("hf:nonspacingmark")
        self._nfd = NFD(specs.NFD())
        self._lower = Lower()

    def normalize(self, text: str) -> str:
        """Return the cleaned text."""
        if self.clean_text:
            text = self._blank.replaced(self._removed.replaced(text, ""), " ")
        if text.isascii():
            return text.lower() if self.lowercase else text
        if self.handle_chinese_chars:
            text = self._set_apart(text)
        if self.strip_accents:
            text = self._marks.replaced(self._nfd.normalize(text), "")
        return self._lower.lower(text) if self.lowercase else text

    def _set_apart(self, text: str) -> str:
        """Put blanks around CJK characters."""
        if not self._chinese.regex(text).search(text):
            return text
        if len(self._spaced) > MOST_SPACED:
            self._spaced.clear()
        return text.translate(self._spaced)

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; the blanks around a CJK character share its range."""
        if self.clean_text:
            text = text.filter(self._removed.lacks)
            text = text.map(self._blank.replaced(text.text, " "))
        if self.handle_chinese_chars:
            text = text.transform(self._changes(text.text))
        if self.strip_accents:
            text = self._nfd.align(text).filter(self._marks.lacks)
        return self._lower.align(text) if self.lowercase else text

    def _changes(self, text: str) -> list[tuple[str, int]]:
        changes: list[tuple[str, int]] = []
        for char in text:
            if char in self._chinese:
                changes += ((" ", 0), (char, 1), (" ", 1))
            else:
                changes.append((char, 0))
        return changes
