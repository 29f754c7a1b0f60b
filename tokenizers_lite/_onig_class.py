"""Bracketed character classes and the escapes that stand for characters."""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite._onig_fold import fold_class
from tokenizers_lite._onig_nodes import Chars, Node
from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite._unicode import Ranges

CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "a": "\a", "e": "\x1b"}
HEX = frozenset("0123456789abcdefABCDEF")
POSIX = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph"}
POSIX |= {"lower", "print", "punct", "space", "upper", "word", "xdigit"}


class Scanner:
    """A position in a pattern, and what is read the same inside and outside of brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ignore_case = False

    def fail(self, message: str) -> SpecError:
        """Return the error for what stands before the current position."""
        return SpecError(f"{message} at character {self.at} of the pattern", value=self.text)

    def unsupported(self, construct: str) -> SpecError:
        """Return the error for a construct that stdlib `re` cannot match the same way."""
        return self.fail(f"the regex construct {construct} is not supported; rewrite the pattern without it:")

    def peek(self, size: int = 1) -> str:
        """Return the next characters without taking them."""
        return self.text[self.at : self.at + size]

    def take(self) -> str:
        """Return the next character; the pattern must not end here."""
        if self.at >= len(self.text):
            raise self.fail("the pattern ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def accept(self, text: str) -> bool:
        """Take `text` if it comes next."""
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def until(self, end: str, what: str) -> str:
        """Return everything before `end` and take both."""
        stop = self.text.find(end, self.at)
        if stop < 0:
            raise self.fail(f"{what} is not closed")
        found = self.text[self.at : stop]
        self.at = stop + len(end)
        return found

    def digits(self, allowed: frozenset[str], most: int) -> str:
        """Take up to `most` characters out of `allowed`."""
        start = self.at
        while self.at < len(self.text) and self.at - start < most and self.text[self.at] in allowed:
            self.at += 1
        return self.text[start : self.at]

    def class_escape(self, letter: str, inside: bool = False) -> Ranges | None:
        r"""Return what `\w`, `\D`, `\p{...}` and friends match, or None for any other escape.

        Oniguruma has two ideas of a word character: `\w` and `\p{Word}` match
        ²³¹¼½¾, `[\w]` does not.
        """
        if inside and letter in "wW":
            word = _unicode.ranges("posix:word")
            return word if letter == "w" else _unicode.complement(word)
        if letter in "wsdh":
            return _unicode.ranges(f"escape:{letter}")
        if letter in "WSDH":
            return _unicode.complement(_unicode.ranges(f"escape:{letter.lower()}"))
        if letter in "pP" and self.accept("{"):
            negative = (letter == "P") != self.accept("^")
            name = self.until("}", r"\p{")
            ranges = _unicode.property_ranges(name)
            if ranges is None:
                raise self.fail(f"unknown character property {name!r}")
            if inside and ranges == _unicode.ranges("escape:w"):
                ranges = _unicode.ranges("posix:word")
            return _unicode.complement(ranges) if negative else ranges
        return None

    def char_escape(self, letter: str) -> str:
        r"""Return the character that `\letter` stands for, reading on where it has digits."""
        if letter in CONTROLS:
            return CONTROLS[letter]
        if letter == "x":
            return self._hex_escape()
        if letter == "u":
            return self._code(self.digits(HEX, 4), 4)
        if letter == "o" and self.accept("{"):
            return self._char(int(self.until("}", r"\o{") or "x", 8))
        if letter in "CM" and not self.accept("-"):
            raise self.fail(f"\\{letter} without -")
        if letter == "M":
            raise self.unsupported(r"\M-")
        if letter in "cC":
            control = self.take()
            if control == "\\":
                control = self.char_escape(self.take())
            return "\x7f" if control == "?" else self._char(ord(control) & 0x9F)
        if letter in "01234567":
            code = int(letter + self.digits(frozenset("01234567"), 2), 8)
            return self._byte(code)
        return letter

    def _hex_escape(self) -> str:
        if self.accept("{"):
            body = self.until("}", r"\x{")
            if not body or not HEX.issuperset(body):
                raise self.unsupported(rf"\x{{{body}}}")
            return self._char(int(body, 16))
        digits = self.digits(HEX, 2)
        return self._byte(int(digits, 16)) if digits else "x"

    def _code(self, digits: str, size: int) -> str:
        if len(digits) < size:
            raise self.fail("too short code point")
        return self._char(int(digits, 16))

    def _char(self, code: int) -> str:
        if code > _unicode.MAX or 0xD800 <= code < 0xE000:
            raise self.fail("code point out of range")
        return chr(code)

    def _byte(self, code: int) -> str:
        r"""Return the character of a byte escape; several may spell one character in UTF-8."""
        raw = bytes((code & 255,))
        # A lead byte tells how many follow.
        for _ in range((raw[0] >= 0xC0) + (raw[0] >= 0xE0) + (raw[0] >= 0xF0)):
            if self.accept("\\x") and len(digits := self.digits(HEX, 2)) == 2:
                raw += bytes((int(digits, 16),))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.unsupported(r"of a byte that is no character (\x80 to \xff)") from None


class _Class:
    """A class while it is read: parts joined so far, and what `&&` met before."""

    def __init__(self) -> None:
        self.parts: list[Ranges] = []
        self.both: Ranges | None = None

    def add(self, first: str, last: str) -> None:
        self.parts.append(((ord(first), ord(last)),))

    def intersect(self) -> None:
        ranges = _unicode.union(*self.parts)
        self.both = ranges if self.both is None else _unicode.intersection(self.both, ranges)
        self.parts = []

    def ranges(self) -> Ranges:
        self.intersect()
        assert self.both is not None
        return self.both


def bracket(scan: Scanner) -> Node:
    """Read a class whose `[` is taken; fold it if case is ignored."""
    ranges, negative = _bracket(scan, 0)
    if scan.ignore_case:
        return fold_class(ranges, negative)
    return Chars(_unicode.complement(ranges) if negative else ranges)


def _bracket(scan: Scanner, depth: int) -> tuple[Ranges, bool]:
    """Return a class's ranges before negation, and whether it is negated."""
    if depth > 50:
        raise scan.fail("character classes nest too deeply")
    negative = scan.accept("^")
    found = _Class()
    empty = True
    if scan.peek() == "]":
        if not _closes_later(scan):
            raise scan.fail("empty character class")
        scan.take()
        _range(scan, found, "]")
        empty = False
    while not scan.accept("]"):
        if scan.accept("&&"):
            found.intersect()
            empty = True
            continue
        empty = False
        posix = _posix(scan)
        if posix is not None:
            found.parts.append(posix)
            _no_range(scan)
        elif scan.accept("["):
            inner, inverted = _bracket(scan, depth + 1)
            found.parts.append(_unicode.complement(inner) if inverted else inner)
        else:
            _member(scan, found)
    if empty and found.both is None:
        raise scan.fail("empty character class")
    return found.ranges(), negative


def _closes_later(scan: Scanner) -> bool:
    """Tell whether another `]` follows, which makes a leading one a character."""
    at = scan.at + 1
    while at < len(scan.text):
        if scan.text[at] == "]":
            return True
        at += 2 if scan.text[at] == "\\" else 1
    return False


def _posix(scan: Scanner) -> Ranges | None:
    """Read `[:name:]` or `[:^name:]` if one stands here; anything but letters in it makes it a nested class."""
    start = scan.at
    if not scan.accept("[:"):
        return None
    negative = scan.accept("^")
    name = ""
    while _unicode.contains(_unicode.ranges("posix:alpha"), ord(scan.peek() or " ")):
        name += scan.take()
    if (not name and not negative) or not scan.accept(":]"):
        scan.at = start
        return None
    if name not in POSIX:
        raise scan.fail(f"unknown POSIX bracket {name!r}")
    ranges = _unicode.ranges(f"posix:{name}")
    return _unicode.complement(ranges) if negative else ranges


def _member(scan: Scanner, found: _Class) -> None:
    """Read one character, escape or range."""
    char = scan.take()
    if char == "\\":
        letter = scan.take()
        ranges = scan.class_escape(letter, inside=True)
        if ranges is not None:
            found.parts.append(ranges)
            _no_range(scan)
            return
        char = "\b" if letter == "b" else scan.char_escape(letter)
    _range(scan, found, char)


def _no_range(scan: Scanner) -> None:
    """Refuse a range that starts with a class."""
    if scan.peek() == "-" and scan.peek(2) not in ("-]", "-") and scan.peek(3) != "-&&":
        raise scan.fail("a class cannot start a range")


def _range(scan: Scanner, found: _Class, first: str) -> None:
    """Read what may follow a character: `-` and the end of a range."""
    start = scan.at
    if not scan.accept("-") or scan.peek() in ("]", "") or scan.peek(2) == "&&":
        scan.at = start
        found.add(first, first)
        return
    if scan.peek() == "[":
        scan.at = start
        raise scan.unsupported("- before [ in a class")
    last = scan.take()
    if last == "\\":
        letter = scan.take()
        if scan.class_escape(letter, inside=True) is not None:
            raise scan.fail("a class cannot end a range")
        last = "\b" if letter == "b" else scan.char_escape(letter)
    if last < first:
        raise scan.fail("empty range in a class")
    found.add(first, last)
    # In `a-c-e` the second hyphen is itself.
    if scan.peek() == "-" and scan.peek(2) != "-]":
        scan.take()
        found.add("-", "-")
