"""GPT-2's byte alphabet: every byte has a printable character.

Bytes 33-126, 161-172 and 174-255 stand for themselves (as Latin-1); the other
68, in order, are U+0100 and up. Ġ is the blank, Ċ the line feed.
"""

from __future__ import annotations

# Character of each byte. (Slices: loops over all bytes would be felt at every start.)
CHARS: list[str] = list(map(chr, range(256)))
CHARS[:33] = map(chr, range(256, 289))
CHARS[127:161] = map(chr, range(289, 323))
CHARS[173] = chr(323)
# Byte of each character.
BYTES: dict[str, int] = dict(zip(CHARS, range(256), strict=True))
_TO_ALPHABET = dict(enumerate(CHARS))


def to_alphabet(text: str) -> str:
    """Return the alphabet form of a text's UTF-8 bytes.

    >>> to_alphabet(" é")
    'ĠÃ©'
    """
    return text.encode().decode("latin-1").translate(_TO_ALPHABET)


def from_alphabet(token: str) -> bytes | None:
    """Return the bytes of a text in the alphabet, None if a character is not in it.

    >>> from_alphabet("Ġa")
    b' a'
    """
    try:
        return bytes(map(BYTES.__getitem__, token))
    except KeyError:
        return None
