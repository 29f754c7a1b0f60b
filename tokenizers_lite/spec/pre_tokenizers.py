"""Spec of the pre-tokenizers: text -> pieces."""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import Pattern

# Split behaviours, spelled as in tokenizer.json.
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PREPEND_SCHEMES = ("always", "first", "never")


class PreTokenizer(Record):
    """Base of all pre-tokenizers."""


class BertPreTokenizer(PreTokenizer):
    """Split on white space (dropped) and punctuation (kept apart)."""


class ByteLevel(PreTokenizer):
    """Optionally split with GPT-2's pattern, then map bytes to the byte alphabet."""

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True


class CharDelimiterSplit(PreTokenizer):
    """Split on one character, which is dropped."""

    delimiter: str


class Digits(PreTokenizer):
    """Isolate digits, each alone or in runs."""

    individual_digits: bool = False


class FixedLength(PreTokenizer):
    """Cut into pieces of a fixed number of characters."""

    length: int = 5


class Metaspace(PreTokenizer):
    """Replace blanks by a marker (``▁``), optionally prepend it and split at it."""

    replacement: str = "▁"
    prepend_scheme: str = "always"
    split: bool = True


class Punctuation(PreTokenizer):
    """Split on punctuation."""

    behavior: str = "Isolated"


class Sequence(PreTokenizer):
    """Apply several pre-tokenizers in order, each to the pieces of the one before."""

    pretokenizers: tuple[PreTokenizer, ...]


class Split(PreTokenizer):
    """Split on a pattern; `behavior` says what becomes of the matches."""

    pattern: Pattern
    behavior: str = "Isolated"
    invert: bool = False


class UnicodeScripts(PreTokenizer):
    """Split where the script changes."""


class Whitespace(PreTokenizer):
    """Split into runs of word characters and runs of other non-blanks."""


class WhitespaceSplit(PreTokenizer):
    """Split on white space, which is dropped."""
