"""Random texts, biased by what a tokenizer is made of.

The fragments are those of the tests (tests/strategies.py), but put together
with `random.Random`, which is a hundred times faster than drawing from
Hypothesis and gives the same text for the same seed.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from fuzz.thresholds import sizes
from tests.strategies import FRAGMENTS, MARKS, SPACES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

# First, last and next code points of blocks that Unicode versions, encodings and tables disagree about.
BORDERS = [0x00, 0x1F, 0x20, 0x7F, 0x80, 0x9F, 0xA0, 0xFF, 0x100, 0x2FF, 0x300, 0x36F, 0x370, 0x7FF, 0x800, 0xFFF]
BORDERS += [0x1100, 0x11FF, 0x1E00, 0x1FFF, 0x2000, 0x206F, 0x2C00, 0x2FFF, 0x3000, 0x303F, 0x3040, 0x4E00, 0x9FFF]
BORDERS += [0xA66F, 0xA7CB, 0xA7DC, 0xAC00, 0xD7A3, 0xD7FF, 0xE000, 0xF8FF, 0xF900, 0xFB00, 0xFDFA, 0xFE00, 0xFF00]
BORDERS += [0xFFEF, 0xFFFD, 0xFFFF, 0x10000, 0x10FFF, 0x16FFF, 0x1D15E, 0x1D400, 0x1D7FF, 0x1F1E6, 0x1F3FB, 0x1F9FF]
BORDERS += [0x1FAE9, 0x20000, 0x2A6DF, 0x2FA1D, 0x30000, 0x323AF, 0x323B0, 0xE0001, 0xE007F, 0xE01EF, 0xF0000, 0x10FFFF]

# Code points whose normal forms differ from themselves or that change order: the unstable ones.
UNSTABLE = [
    chr(code)
    for code in range(0x110000)
    if not 0xD800 <= code < 0xE000
    and (unicodedata.combining(chr(code)) or unicodedata.decomposition(chr(code)))
    and not 0xF900 <= code < 0xFB00
    and not 0x2F800 <= code < 0x2FA20
]


def scalar(rng: random.Random) -> str:
    """Return one character: near a border, unstable, of the first two planes, or any."""
    choice = rng.random()
    if choice < 0.3:
        code = rng.choice(BORDERS) + rng.randint(-2, 2)
    elif choice < 0.5:
        return rng.choice(UNSTABLE)
    elif choice < 0.9:
        code = rng.randrange(0x3000 if choice < 0.7 else 0x20000)
    else:
        code = rng.randrange(0x110000)
    return chr(code) if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


# What words without an end are made of: ASCII, two bytes, three, four, marks, and the mark of a cut.
ALPHABETS = ["abcdefgh", "abcABC019", "éèüñßøåæ", "абвгдежзи", "中文字符我你他是不了", "ひらがなカタカナ"]
ALPHABETS += ["가나다라마한국어", "😀👍🏽🇩🇪👩\u200d", "\U00020000\U00020001\U0001d400\U0001f600", "a\u0301\u0327\u0345"]
ALPHABETS += ["\0a中", "ก\u0e33าไทย", "a中😀\u0301 ", "\n \t", "=-_*#/", "0123456789", "\0"]
# Of so many texts one is several hundred characters long: what is slow to merge is rare, not absent.
_LONG_WORDS = 60


def swap_case(text: str) -> str:
    """Return `text` in the other case, where that has one character each."""
    return "".join(c if len(c.swapcase()) != 1 else c.swapcase() for c in text)


class Texts:
    """A source of texts for one tokenizer.

    Args:
        rng: where randomness comes from; the same state gives the same texts.
        pieces: texts of the tokenizer's vocabulary, as they stand in a text.
        added: its added tokens.
        corpora: real texts to splice from.
    """

    def __init__(
        self, rng: random.Random, pieces: Sequence[str] = (), added: Sequence[str] = (), corpora: Sequence[str] = ()
    ) -> None:
        self.rng = rng
        self.pieces = pieces
        self.added = added
        self.corpora = corpora
        self._near = [size for size in sizes() if size <= 300]
        self._kinds = [self._fragment] * 5 + [self._run, self._scalar, self._scalar, self._marks]
        self._kinds += [self._piece, self._piece, self._piece, self._part] * bool(pieces)
        self._kinds += [self._added, self._added, self._around] * bool(added)
        self._kinds += [self._splice] * bool(corpora)
        self._last: list[str] = []

    def _fragment(self) -> str:
        return self.rng.choice(FRAGMENTS)

    def _run(self) -> str:
        size = self.rng.choice((2, 2, 2, 3, 3, 3, 4, 4, 5, 8, 16, 17, 33, 70))
        return (self._fragment() if self.rng.random() < 0.5 else scalar(self.rng)) * size

    def _scalar(self) -> str:
        return scalar(self.rng)

    def _marks(self) -> str:
        return self.rng.choice("aeouAΑкか가क") + "".join(self.rng.choices(MARKS, k=self.rng.randint(1, 3)))

    def _piece(self) -> str:
        return self.rng.choice(self.pieces)

    def _part(self) -> str:
        """Return part of a piece, perhaps in the other case or with its end repeated."""
        piece = self._piece()
        cut = self.rng.randint(0, len(piece))
        kind = self.rng.randrange(4)
        if kind == 0:
            return piece[:cut]
        if kind == 1:
            return piece[cut:]
        return swap_case(piece) if kind == 2 else piece + piece[cut:]

    def _added(self) -> str:
        return self.rng.choice(self.added)

    def _around(self) -> str:
        """Return an added token in white space, or all of it but an end."""
        token = self._added()
        kind = self.rng.randrange(3)
        if kind == 0:
            return self.rng.choice(SPACES) + token + self.rng.choice(SPACES)
        return token[:-1] if kind == 1 else token[1:]

    def _splice(self) -> str:
        corpus = self.rng.choice(self.corpora)
        start = self.rng.randrange(max(len(corpus), 1))
        return corpus[start : start + self.rng.choice((1, 3, 8, 8, 20, 20, 40, 100))]

    def word(self, size: int) -> str:
        """Return `size` characters of one alphabet, or of the pieces' own text, that few patterns cut."""
        if self.pieces and self.rng.random() < 0.4:
            joined = "".join(self.rng.choices(self.pieces, k=size // 2 + 1))
            return "".join(joined.split())[:size] if self.rng.random() < 0.8 else joined[:size]
        return "".join(self.rng.choices(self.rng.choice(ALPHABETS), k=size))

    def near(self, least: int, most: int) -> int:
        """Return a size that is one of the thresholds between two sizes, or next to it."""
        size = self.rng.choice([size for size in sizes() if least <= size <= most])
        return max(size + self.rng.choice((-1, 0, 0, 1, 2)), 1)

    def long_text(self, size: int) -> str:
        """Return a text of `size` characters: texts joined, one word, real text, or some of each."""
        rng, parts, have = self.rng, [], 0
        mixed = rng.random() < 0.3
        make = rng.choice(self._long_kinds())
        while have < size:
            if mixed:
                make = rng.choice(self._long_kinds())
            parts.append(make(size if not mixed else rng.randint(1, 2000)) or "x")
            have += len(parts[-1])
        text = "".join(parts)[:size]
        if rng.random() < 0.2:  # where texts are cut by marks, the mark itself
            at = rng.randrange(size)
            text = text[:at] + "\0" + text[at + 1 :]
        return text

    def _long_kinds(self) -> list[Callable[[int], str]]:
        kinds: list[Callable[[int], str]] = [self.word, self.word, lambda _: self.text()]
        return kinds + [self._real] * 2 if self.corpora else kinds

    def _real(self, size: int) -> str:
        corpus = self.rng.choice(self.corpora)
        start = self.rng.randrange(max(len(corpus), 1))
        return corpus[start : start + size]

    def text(self) -> str:
        """Return the next text: put together, or an earlier one changed in a place."""
        rng = self.rng
        if rng.random() * _LONG_WORDS < 1:
            text = self.word(max(rng.choice(self._near) + rng.choice((-1, 0, 1)), 1))
            if rng.random() < 0.5:
                text = rng.choice(self._kinds)() + text + rng.choice(self._kinds)()
        elif self._last and rng.random() < 0.25:
            text = self._mutate(rng.choice(self._last))
        else:
            parts = [rng.choice(self._kinds)() for _ in range(rng.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 6)))]
            text = (" " if rng.random() < 0.2 else "").join(parts)
        if len(self._last) < 32:
            self._last.append(text)
        else:
            self._last[rng.randrange(32)] = text
        return text

    def _mutate(self, text: str) -> str:
        """Return `text` with something put in, taken out, doubled or joined with another text."""
        rng = self.rng
        at = rng.randint(0, len(text))
        kind = rng.randrange(5)
        if kind == 0:
            return text[:at] + rng.choice(self._kinds)() + text[at:]
        if kind == 1:
            return text[:at] + text[at + rng.randint(1, 4) :]
        if kind == 2:
            return text[:at] + text[max(at - 3, 0) :]
        if kind == 3:
            return text[:at] + rng.choice(self._last)[at:]
        return unicodedata.normalize(rng.choice(("NFC", "NFD", "NFKC", "NFKD")), text)

    def texts(self, count: int) -> list[str]:
        """Return the next `count` texts, none longer than 2,000 characters."""
        return [self.text()[:2000] for _ in range(count)]

    def any_text(self) -> str:
        """Return a text that may hold lone surrogates, which `tokenizers` cannot receive."""
        text = self.text()[:300]
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            at = self.rng.randint(0, len(text))
            text = text[:at] + chr(self.rng.randrange(0xD800, 0xE000)) * self.rng.choice((1, 1, 2)) + text[at:]
        return text
