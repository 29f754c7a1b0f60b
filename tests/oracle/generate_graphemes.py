"""Write tokenizers_lite/normalizers/_grapheme_data.py: grapheme classes as the installed tokenizers has them.

Only its Precompiled normalizer looks at graphemes, and only at those of less
than six UTF-8 bytes. A crafted character map shows where they end: every byte
is a key, so each such grapheme becomes one ``X`` and each character of a longer
one an ``X`` of its own. What cannot be seen that way makes no difference
either: pairs of regional indicators, and controls of four bytes.

Run: python tests/oracle/generate_graphemes.py
"""

from __future__ import annotations

import struct
import textwrap
from pathlib import Path

import tokenizers

MARK = "\u0301"  # two bytes, an Extend
ZWJ = "\u200d"
PICTURE = "\u00a9"  # two bytes, Extended_Pictographic
CONSONANT = "\u0915"
LINKER = "\u094d"
TARGET = Path(__file__).parents[2] / "tokenizers_lite" / "normalizers" / "_grapheme_data.py"


def counting_map() -> bytes:
    """Return a character map that turns whatever starts with any byte into ``X``."""
    units = [0] * 1024
    units[0] = 256 << 10
    for byte in range(1, 256):
        units[256 + byte] = 768 << 10 | 0x100 | byte
        units[512 + byte] = 1 << 31
    return struct.pack("<I1024I", 4096, *units) + b"X\0"


class Probe:
    def __init__(self) -> None:
        self._normalizer = tokenizers.normalizers.Precompiled(counting_map())

    def count(self, text: str) -> int:
        """Return the number of ``X``."""
        return len(self._normalizer.normalize_str(text))

    def classes(self) -> dict[str, list[int]]:
        chars = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
        count = self.count
        alone = [c for c in chars if count("a" + c) == 2]
        joining = [c for c in chars if count("a" + c) == 1]
        extending = [c for c in joining if c != ZWJ and count(PICTURE + c + ZWJ + PICTURE + MARK) == 5]
        linkers = [c for c in joining if count(CONSONANT + c + CONSONANT + MARK) == 4]
        controls = ["\0", *(c for c in chars if len(c.encode()) < 4 and count(c + MARK) == 2)]
        # No mark joins a control, which looks like a consonant that joined what is before it.
        letters = [c for c in set(alone).difference(controls) if len(c.encode()) < 4]
        found = {
            "CONTROL": controls,
            "PREPEND": [c for c in chars if len(c.encode()) < 5 and count(c + "a") == 1],
            "JOINING": joining,
            "EXTEND": extending,
            "PICTURE": [c for c in alone if count(PICTURE + ZWJ + c) == 3],
            "CONSONANT": [c for c in letters if count(CONSONANT + LINKER + c + MARK) == 4],
            "LINKER": linkers,
            "CONJUNCT_EXTEND": [
                c for c in joining if c not in linkers and count(CONSONANT + LINKER + c + CONSONANT + MARK) == 5
            ],
        }
        return {name: [ord(c) for c in chars] for name, chars in found.items()}


def character_class(codes: list[int]) -> str:
    """Write code points as the inside of a character class of `re`, in ASCII."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(escape(first) if first == last else f"{escape(first)}-{escape(last)}" for first, last in ranges)


def escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def main() -> None:
    lines = [
        f'"""Grapheme classes of tokenizers {tokenizers.__version__}, insides of character classes of `re`.',
        "",
        "Written by tests/oracle/generate_graphemes.py; do not edit.",
        '"""',
        "",
    ]
    for name, codes in Probe().classes().items():
        lines.append(f"# {len(codes)} characters")
        lines.append(f"{name} = (")
        lines += [f'    r"{part}"' for part in wrap(character_class(codes))]
        lines.append(")")
    TARGET.write_text("\n".join(lines) + "\n", encoding="ascii")


def wrap(text: str) -> list[str]:
    """Cut the class between characters, not inside of an escape."""
    words = textwrap.wrap(text.replace("\\", " \\").replace("- ", "-"), 100, break_long_words=False)
    return [word.replace(" ", "") for word in words] or [""]


if __name__ == "__main__":
    main()
