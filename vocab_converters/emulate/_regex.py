r"""The readers' regex engine: pattern, text -> spans.

Text is folded to one character a code point (ASCII itself, everything else
its class as \x01 to \x07), and the pattern is matched on that: leftmost,
ordered alternatives, greedy. A group never gives back what its inside took
(only whole repetitions), and must consume something each time round. Source:
MNN and Native-LLM-for-Android, unicode.cpp, as described in FORMATS.

Patterns are parsed as the engine does and written out as a Python `re` that
behaves the same; `parse` keeps the engine's own tree for the cases (a group
that can match nothing) where no such `re` exists.
"""

from __future__ import annotations

import functools
import re

from vocab_converters.emulate._unicode15 import FOLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
MAX_GROUP_REPEATS = 10000

_LETTERS = frozenset([1, *range(65, 91), *range(97, 123)])
_DIGITS = frozenset([2, *range(48, 58)])
_BLANKS = frozenset([3, 9, 10, 11, 12, 13, 32])
_CLASSES = {
    "L": _LETTERS,
    "N": _DIGITS,
    "M": frozenset([5]),
    "P": frozenset([6, *b"!\"#%&'()*,-./:;?@[\\]_{}"]),
    "S": frozenset([7, *b"$+<=>^`|~"]),
    "Z": _BLANKS,
}
_ALL = frozenset(range(256))
_WORD = _LETTERS | _DIGITS | {95}
_ESCAPES = {"s": _BLANKS, "S": _ALL - _BLANKS, "d": _DIGITS, "D": _ALL - _DIGITS, "w": _WORD, "W": _ALL - _WORD}
_CONTROLS = {"r": 13, "n": 10, "t": 9, "f": 12, "v": 11}

Branch = list["Item"]


class Item:
    """One part of a branch: a set of fold bytes, a group or a negative lookahead, and how often."""

    __slots__ = ("branches", "chars", "kind", "least", "most")

    def __init__(self, kind: str, chars: frozenset[int] = frozenset(), branches: list[Branch] | None = None) -> None:
        self.kind = kind  # "set" | "group" | "not"
        self.chars = chars
        self.branches = branches or []
        self.least = 1
        self.most = 1  # -1: no limit


class _Parser:
    """The engine's own pattern parser, its tolerance of broken patterns included."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.fold_case = False
        self.supported = True

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def next(self) -> str:
        char = self.peek()
        self.at += len(char)
        return char

    def parse(self) -> list[Branch]:
        """Return the branches; those with unsupported constructs are left out."""
        branches = []
        while True:
            self.supported = True
            branch = self.branch()
            if self.supported:
                branches.append(branch)
            if self.peek() != "|":  # so that a stray ")" ends the pattern
                return branches
            self.next()

    def branch(self) -> Branch:
        items: Branch = []
        while self.peek() not in ("", "|", ")"):
            item = self.atom()
            self.quantifier(item)
            items.append(item)
        return items

    def alternatives(self) -> list[Branch]:
        branches = [self.branch()]
        while self.peek() == "|":
            self.next()
            branches.append(self.branch())
        if self.peek() == ")":
            self.next()
        return branches

    def atom(self) -> Item:
        char = self.peek()
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == "\\":
            return Item("set", frozenset(self.escape()))
        self.next()
        if char == ".":
            return Item("set", _ALL - {10})
        return Item("set", frozenset(self.literal(char)))

    def literal(self, char: str) -> set[int]:
        code = FOLD[ord(char)]
        if self.fold_case and char.isascii() and char.isalpha():
            return {ord(char.lower()), ord(char.upper())}
        return {code}

    def escape(self) -> set[int]:
        self.next()
        char = self.next()
        if char in ("p", "P"):
            if self.peek() != "{":
                return set()
            self.next()
            name = ""
            while self.peek() not in ("", "}"):
                name += self.next()
            self.next()
            chars = _CLASSES.get(name[:1], frozenset())
            return set(_ALL - chars if char == "P" else chars)
        if char in _ESCAPES:
            return set(_ESCAPES[char])
        if char in _CONTROLS:
            return {_CONTROLS[char]}
        if char == "x" and self.at + 1 < len(self.text):
            return {16 * _hex(self.next()) + _hex(self.next())}
        if char in tuple("bBAZ123456789"):
            self.supported = False
        return self.literal(char) if char else {0}

    def char_class(self) -> Item:
        self.next()
        negated = self.peek() == "^"
        if negated:
            self.next()
        chars: set[int] = set()
        if self.peek() == "]":
            chars.add(ord(self.next()))
        while self.peek() not in ("", "]"):
            if self.peek() == "\\":
                chars |= self.escape()
                continue
            char = self.next()
            if self.peek() == "-" and self.at + 1 < len(self.text) and self.text[self.at + 1] != "]":
                self.next()
                chars |= self.char_range(char)
            else:
                chars |= self.literal(char) if char.isascii() else {FOLD[ord(char)]}
        self.next()
        return Item("set", _ALL - chars if negated else frozenset(chars))

    def char_range(self, low: str) -> set[int]:
        if self.peek() == "\\" and low.isascii():
            self.next()
            high = self.next()
            high = {"n": "\n", "r": "\r", "t": "\t"}.get(high, high)
        else:
            high = self.next()
        if low.isascii() and high.isascii():
            found: set[int] = set()
            for code in range(ord(low), ord(high or "\0") + 1):
                found |= self.literal(chr(code))
            return found
        ends = sorted((FOLD[ord(low)], FOLD[ord(high)]))  # a range over class bytes, not characters
        return set(range(ends[0], ends[1] + 1))

    def group(self) -> Item:
        self.next()
        before = self.fold_case
        if self.peek() == "?":
            self.next()
            if self.peek() == "!":
                self.next()
                return Item("not", branches=self.alternatives())
            if self.peek() in ("=", "<"):
                self.supported = False
                depth = 1
                while self.peek() and depth:
                    depth += {"(": 1, ")": -1}.get(self.next(), 0)
                return Item("set")
            while self.peek() not in ("", ":", ")"):
                self.fold_case |= self.next() == "i"
            if self.peek() == ":":
                self.next()
        item = Item("group", branches=self.alternatives())
        self.fold_case = before
        return item

    def quantifier(self, item: Item) -> None:
        char = self.peek()
        if char in ("+", "*", "?"):
            self.next()
            item.least, item.most = {"+": (1, -1), "*": (0, -1), "?": (0, 1)}[char]
        elif char == "{":
            self.next()
            item.least = int(self.digits() or 0)
            item.most = item.least
            if self.peek() == ",":
                self.next()
                item.most = int(self.digits() or -1)
            if self.peek() == "}":
                self.next()
        else:
            return
        if self.peek() == "?":  # lazy is read as greedy
            self.next()

    def digits(self) -> str:
        found = ""
        while self.peek() and self.peek() in "0123456789":
            found += self.next()
        return found


def _hex(char: str) -> int:
    """Value of a hex digit, 0 for anything else."""
    return int(char, 16) if char and char in "0123456789abcdefABCDEF" else 0


def parse(pattern: str) -> list[Branch]:
    """Return the engine's tree of a pattern; GPT-2's if nothing of it is supported."""
    return _Parser(pattern).parse() or _Parser(GPT2).parse()


class _NoEqualError(Exception):
    """The tree has no equal `re`."""


class _Writer:
    """Writes a tree as a Python pattern."""

    def __init__(self) -> None:
        self.groups = 0

    def branches(self, branches: list[Branch]) -> str:
        return "|".join("".join(map(self.item, branch)) for branch in branches)

    def item(self, item: Item) -> str:
        if item.kind == "not":
            return f"(?!{self.branches(item.branches)})"
        most = item.most
        if most >= 0 and item.least > most:
            return "(?!)"
        if item.kind == "set":
            inner = _set_text(item.chars)
        else:
            if _can_be_empty(item.branches):
                raise _NoEqualError
            self.groups += 1  # what a group matched is settled: a lookahead that is then consumed
            name = f"g{self.groups}"
            inner = f"(?:(?=(?P<{name}>{self.branches(item.branches)}))(?P={name}))"
            most = MAX_GROUP_REPEATS if most < 0 else most
        if (item.least, most) == (1, 1):
            return inner
        return f"{inner}{{{item.least},{most if most >= 0 else ''}}}"


def _set_text(chars: frozenset[int]) -> str:
    """Write a set of fold bytes as a character class."""
    if not chars:
        return "(?:(?!))"
    if chars == _ALL:
        return r"[\x00-\xff]"
    negate = len(chars) > 128
    parts, codes = "", sorted(_ALL - chars if negate else chars)
    index = 0
    while index < len(codes):
        end = index
        while end + 1 < len(codes) and codes[end + 1] == codes[end] + 1:
            end += 1
        parts += f"\\x{codes[index]:02x}" + (f"-\\x{codes[end]:02x}" if end > index else "")
        index = end + 1
    return f"[{'^' if negate else ''}{parts}]"


def _can_be_empty(branches: list[Branch]) -> bool:
    """Tell whether one of the branches can match nothing."""

    def empty(item: Item) -> bool:
        return item.kind == "not" or item.least == 0 or (item.kind == "group" and _can_be_empty(item.branches))

    return any(all(empty(item) for item in branch) for branch in branches)


def match_branches(text: str, at: int, branches: list[Branch]) -> int:
    """Match at `at` by walking the tree as the C++ does; returns the end or -1."""
    for branch in branches:
        end = _match_items(text, at, branch, 0)
        if end >= 0:
            return end
    return -1


def _match_items(text: str, at: int, items: Branch, index: int) -> int:
    """Match the items from `index` on."""
    if index == len(items):
        return at
    item = items[index]
    if item.kind == "not":
        return -1 if match_branches(text, at, item.branches) >= 0 else _match_items(text, at, items, index + 1)
    ends = [at]
    if item.kind == "set":
        most = len(text) - at if item.most < 0 else item.most
        while len(ends) <= most and ends[-1] < len(text) and ord(text[ends[-1]]) in item.chars:
            ends.append(ends[-1] + 1)
    else:
        most = MAX_GROUP_REPEATS if item.most < 0 else item.most
        while len(ends) <= most:
            end = match_branches(text, ends[-1], item.branches)
            if end <= ends[-1]:
                break
            ends.append(end)
    for count in range(len(ends) - 1, item.least - 1, -1):
        end = _match_items(text, ends[count], items, index + 1)
        if end >= 0:
            return end
    return -1


def uses_wregex(pattern: str) -> bool:
    r"""Tell whether the readers hand the pattern to std::wregex: non-ASCII, and no \p{ or \P{."""
    return not pattern.isascii() and "\\p{" not in pattern and "\\P{" not in pattern


class ReaderError(Exception):
    """The C++ reader would throw, abort or read out of bounds here."""


@functools.lru_cache(maxsize=64)
def _compiled(pattern: str) -> tuple[str, Any]:
    """Return how to match a pattern ("wide", "fold" or "tree") and with what."""
    if uses_wregex(pattern):
        if re.search(r"\(\?[^:=!]|[*+?}]\+", pattern):
            raise ReaderError(f"std::wregex throws on {pattern!r}")
        try:
            return "wide", re.compile(pattern, re.ASCII)
        except re.error as error:
            raise ReaderError(f"std::wregex throws on {pattern!r}: {error}") from None
    branches = parse(pattern)
    try:
        return "fold", re.compile(_Writer().branches(branches))
    except _NoEqualError:
        return "tree", branches


def spans(text: str, pattern: str) -> list[tuple[int, int]]:
    """Return the matches, which never overlap and are never empty, as pairs of character positions.

    Args:
        text: text whose undecodable bytes are lone surrogates (surrogateescape).
        pattern: the pattern as it stands in the file.

    Raises:
        ReaderError: where std::wregex would throw.
    """
    how, matcher = _compiled(pattern)
    if how == "wide":
        wide = text if text.isascii() else re.sub("[\udc80-\udcff]", "�", text)
        return [match.span() for match in matcher.finditer(wide) if match.end() > match.start()]
    folded = text if text.isascii() else text.translate(FOLD)
    if how == "fold":
        return [match.span() for match in matcher.finditer(folded) if match.end() > match.start()]
    found, at = [], 0
    while at < len(folded):
        end = match_branches(folded, at, matcher)
        if end > at:
            found.append((at, end))
        at = max(end, at + 1)
    return found
