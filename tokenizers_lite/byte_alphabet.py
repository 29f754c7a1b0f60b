"""GPT-2's byte alphabet: every byte has a printable character.

Bytes 33-126, 161-172 and 174-255 stand for themselves (as Latin-1); the other
68, in order, are U+0100 and up. Ġ is the blank, Ċ the line feed.
"""

from __future__ import annotations

_PLAIN = {*range(33, 127), *range(161, 173), *range(174, 256)}
_MOVED = [byte for byte in range(256) if byte not in _PLAIN]

# Character of each byte.
CHARS: list[str] = [chr(byte) if byte in _PLAIN else chr(256 + _MOVED.index(byte)) for byte in range(256)]
# Byte of each character.
BYTES: dict[str, int] = {char: byte for byte, char in enumerate(CHARS)}
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
