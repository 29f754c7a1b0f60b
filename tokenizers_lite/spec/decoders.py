"""Spec of the decoders: tokens -> text."""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import Pattern


class Decoder(Record):
    """Base of all decoders."""


class BPEDecoder(Decoder):
    """Turn the end-of-word suffix into a blank."""

    suffix: str = "</w>"


class ByteFallback(Decoder):
    """Turn ``<0xNN>`` tokens back into bytes."""


class ByteLevel(Decoder):
    """Map characters of the byte alphabet back to bytes."""

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True


class CTC(Decoder):
    """Collapse repeats and drop the blank token, for speech models."""

    pad_token: str = "<pad>"
    word_delimiter_token: str = "|"
    cleanup: bool = True


class Fuse(Decoder):
    """Join all tokens into one."""


class Metaspace(Decoder):
    """Turn the marker (``▁``) back into blanks."""

    replacement: str = "▁"
    prepend_scheme: str = "always"
    split: bool = True


class Replace(Decoder):
    """Replace every match of a pattern in each token."""

    pattern: Pattern
    content: str


class Sequence(Decoder):
    """Apply several decoders in order."""

    decoders: tuple[Decoder, ...]


class Strip(Decoder):
    """Drop up to `start` leading and `stop` trailing copies of one character from each token."""

    content: str = " "
    start: int = 0
    stop: int = 0


class WordPiece(Decoder):
    """Join word pieces, optionally tidying up the blanks around punctuation."""

    prefix: str = "##"
    cleanup: bool = True
