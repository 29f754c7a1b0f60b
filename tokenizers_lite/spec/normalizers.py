"""Spec of the normalizers: text -> text."""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import Pattern


class Normalizer(Record):
    """Base of all normalizers."""


class BertNormalizer(Normalizer):
    """Clean control characters, space out CJK, strip accents, lower-case."""

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None  # None: as `lowercase`
    lowercase: bool = True


class ByteLevel(Normalizer):
    """Map every UTF-8 byte to its character in GPT-2's byte alphabet."""


class Lowercase(Normalizer):
    """Lower-case each character."""


class NFC(Normalizer):
    """Unicode normalization form C."""


class NFD(Normalizer):
    """Unicode normalization form D."""


class NFKC(Normalizer):
    """Unicode normalization form KC."""


class NFKD(Normalizer):
    """Unicode normalization form KD."""


class Nmt(Normalizer):
    """Drop control characters, turn format characters into blanks."""


class Precompiled(Normalizer):
    """A sentencepiece character map (Darts double array plus replacements)."""

    precompiled_charsmap: bytes


class Prepend(Normalizer):
    """Put a string in front of a text that is not empty."""

    prepend: str


class Replace(Normalizer):
    """Replace every match of a pattern by a fixed string."""

    pattern: Pattern
    content: str


class Sequence(Normalizer):
    """Apply several normalizers in order."""

    normalizers: tuple[Normalizer, ...]


class Strip(Normalizer):
    """Drop white space at the ends."""

    strip_left: bool = True
    strip_right: bool = True


class StripAccents(Normalizer):
    """Drop combining marks."""
