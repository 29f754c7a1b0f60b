"""Replace, Prepend and ByteLevel."""

from __future__ import annotations

from tokenizers_lite.normalizers import Normalizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.patterns import SplitPattern
    from tokenizers_lite.spec import normalizers as specs


class Replace(Normalizer):
    """Put a fixed string in place of every match."""

    def __init__(self, spec: specs.Replace) -> None:
        self.content = spec.content
        # An empty string is a pattern like any other: it matches everywhere.
        self.literal = spec.pattern.text if not spec.pattern.regex else ""
        self._pattern: SplitPattern | None = None
        if not self.literal:
            from tokenizers_lite.patterns import SplitPattern

            self._pattern = SplitPattern(spec.pattern.text, spec.pattern.regex)
            self.loses_origin = bool(spec.content) and not self._pattern.min_length

    def _spans(self, text: str) -> list[tuple[int, int]]:
        if self._pattern is not None:
            return self._pattern.spans(text)
        size, found = len(self.literal), []
        at = text.find(self.literal)
        while at >= 0:
            found.append((at, at + size))
            at = text.find(self.literal, at + size)
        return found

    def normalize(self, text: str) -> str:
        """Return the text with all matches replaced."""
        if self._pattern is None:
            return text.replace(self.literal, self.content)
        parts: list[str] = []
        done = 0
        for start, end in self._spans(text):
            parts += (text[done:start], self.content)
            done = end
        return "".join((*parts, text[done:])) if parts else text

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; what is put in takes the range of the match's last character."""
        return text.replace(self._spans(text.text), self.content)


class Prepend(Normalizer):
    """Put a string in front of a text that is not empty."""

    def __init__(self, spec: specs.Prepend) -> None:
        self.prefix = spec.prepend
        self.loses_origin = not spec.prepend

    def normalize(self, text: str) -> str:
        """Return the prefix and the text."""
        return self.prefix + text if text else text

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; the prefix takes the range of the first character."""
        return text.prepend(self.prefix)


class ByteLevel(Normalizer):
    """Write the text's UTF-8 bytes in GPT-2's byte alphabet."""

    def __init__(self, spec: specs.ByteLevel) -> None:
        del spec

    def normalize(self, text: str) -> str:
        """Return the alphabet form."""
        from tokenizers_lite.byte_alphabet import to_alphabet

        return to_alphabet(text)

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; each byte takes the range of its character."""
        from tokenizers_lite.byte_alphabet import CHARS

        return text.transform((CHARS[byte], int(at > 0)) for char in text.text for at, byte in enumerate(char.encode()))
