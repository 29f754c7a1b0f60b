"""BertNormalizer: the cleaning that BERT's tokenizer does before it splits."""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite.normalizers import Normalizer
from tokenizers_lite.normalizers.cleaning import Dropper, Lower
from tokenizers_lite.normalizers.forms import NFD
from tokenizers_lite.spec import normalizers as specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from tokenizers_lite.normalized import NormalizedString


class BertNormalizer(Normalizer):
    """Drop controls, set CJK characters apart, strip accents, lower-case: each if asked for."""

    def __init__(self, spec: specs.BertNormalizer) -> None:
        self.clean_text = spec.clean_text
        self.handle_chinese_chars = spec.handle_chinese_chars
        self.strip_accents = spec.lowercase if spec.strip_accents is None else spec.strip_accents
        self.lowercase = spec.lowercase
        self._removed = Dropper("hf:bertremoved")
        self._marks = Dropper("hf:nonspacingmark")
        self._nfd = NFD(specs.NFD())
        self._lower = Lower()
        self._blanks = dict.fromkeys(map(ord, "".join(_unicode.characters("hf:bertspace"))), " ")
        self._chinese: re.Pattern[str] | None = None

    def normalize(self, text: str) -> str:
        """Return the cleaned text."""
        if self.clean_text:
            text = self._removed.drop(text).translate(self._blanks)
        if text.isascii():
            return text.lower() if self.lowercase else text
        if self.handle_chinese_chars:
            text = self._chinese_regex().sub(r" \g<0> ", text)
        if self.strip_accents:
            text = self._marks.drop(self._nfd.normalize(text))
        return self._lower.lower(text) if self.lowercase else text

    def _chinese_regex(self) -> re.Pattern[str]:
        if self._chinese is None:
            import re

            self._chinese = re.compile(_unicode.class_text(_unicode.ranges("hf:bertchinese")))
        return self._chinese

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; the blanks around a CJK character share its range."""
        if self.clean_text:
            text = text.filter(self._removed.keeps)
            text = text.map(text.text.translate(self._blanks))
        if self.handle_chinese_chars:
            text = text.transform(self._spaced(text.text))
        if self.strip_accents:
            text = self._nfd.align(text).filter(self._marks.keeps)
        return self._lower.align(text) if self.lowercase else text

    def _spaced(self, text: str) -> list[tuple[str, int]]:
        changes: list[tuple[str, int]] = []
        chinese = _unicode.ranges("hf:bertchinese")
        for char in text:
            if _unicode.contains(chinese, ord(char)):
                changes += ((" ", 0), (char, 1), (" ", 1))
            else:
                changes.append((char, 0))
        return changes
