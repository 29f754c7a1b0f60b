"""Splitters by character class: Bert, Digits, Punctuation, Whitespace, CharDelimiterSplit, UnicodeScripts.

Each is one regular expression whose matches are the pieces, with the classes
written out from the pinned tables of `_unicode`.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from tokenizers_lite import _unicode
from tokenizers_lite.pre_tokenizers._base import MAX, Splitter, limit_of
from tokenizers_lite.pre_tokenizers._behaviors import CLASS_PATTERNS, INVERTED_CLASS_PATTERNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite._unicode import Ranges


class ClassSplitter(Splitter):
    """Cuts by a regular expression over disjoint character classes.

    Classes beyond the Basic Multilingual Plane make `re` many times slower, so
    the expression is compiled for the characters a text holds; texts that
    reach beyond are translated to the names of the classes instead.

    Args:
        template: the expression, with a field of one letter for each class.
        tables: gives the classes by field; called when first needed.
    """

    def __init__(self, template: str, tables: Callable[[], dict[str, Ranges]]) -> None:
        self._template = template
        self._tables = tables
        self._compiled: dict[int, re.Pattern[str]] = {}
        self._names: _Names | None = None

    def _regex(self, limit: int) -> re.Pattern[str]:
        found = self._compiled.get(limit)
        if found is None:
            classes = {
                name: name if limit == MAX else _unicode.class_text(table, limit)
                for name, table in self._tables().items()
            }
            found = self._compiled[limit] = re.compile(self._template.format(**classes))
        return found

    def cutter(self, limit: int) -> Callable[[str], list[str]]:
        """Return `pieces` for texts up to a limit."""
        return super().cutter(limit) if limit == MAX else self._regex(limit).findall

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pieces of a text start and end."""
        limit = limit_of(text)
        if limit == MAX:
            if self._names is None:
                self._names = _Names(self._tables())
            text = text.translate(self._names)
        return [match.span() for match in self._regex(limit).finditer(text)]


class CharacterSplitter(ClassSplitter):
    """Cuts at each occurrence of a character."""

    def __init__(self, character: str, template: str) -> None:
        found = ((ord(character), ord(character)),)
        super().__init__(template, lambda: {"c": found, "n": _unicode.complement(found)})
        self.character = character

    def pre_tokenize(self, text: str, first: bool) -> list[str]:
        """Return the pieces of a text, which is all there is to do where the character is not."""
        return super().pre_tokenize(text, first) if self.character in text or not text else [text]


class _Names(dict[int, str]):
    """Code point -> the name of its class, as `str.translate` wants it; filled as met."""

    def __init__(self, tables: dict[str, Ranges]) -> None:
        super().__init__()
        self._classes = tables

    def __missing__(self, code: int) -> str:
        found = (name for name, table in self._classes.items() if _unicode.contains(table, code))
        name = self[code] = next(found, "_")
        return name


def split_at(table: str, behavior: str) -> ClassSplitter:
    """Return a splitter at each character of a table."""

    def tables() -> dict[str, Ranges]:
        found = _unicode.ranges(table)
        return {"c": found, "n": _unicode.complement(found)}

    return ClassSplitter(CLASS_PATTERNS[behavior], tables)


def split_at_character(character: str, behavior: str, invert: bool = False) -> ClassSplitter:
    """Return a splitter at each occurrence of a character."""
    if not invert:
        return CharacterSplitter(character, CLASS_PATTERNS[behavior])
    found = ((ord(character), ord(character)),)
    return ClassSplitter(INVERTED_CLASS_PATTERNS[behavior], lambda: {"c": found, "n": _unicode.complement(found)})


def bert() -> ClassSplitter:
    """Return a splitter at white space, which is dropped, and punctuation, kept apart."""

    def tables() -> dict[str, Ranges]:
        space = _unicode.ranges("rust:whitespace")
        marks = _unicode.intersection(_unicode.ranges("hf:punctuation"), _unicode.complement(space))
        return {"c": marks, "n": _unicode.complement(_unicode.union(space, marks))}

    return ClassSplitter("{n}+|{c}", tables)


def whitespace() -> ClassSplitter:
    r"""Return a splitter into matches of ``\w+|[^\w\s]+`` as the `regex` crate reads it."""

    def tables() -> dict[str, Ranges]:
        word, space = _unicode.ranges("rust:word"), _unicode.ranges("rust:regexspace")
        return {"w": word, "n": _unicode.complement(_unicode.union(word, space))}

    return ClassSplitter("{w}+|{n}+", tables)


class _Scripts(dict[int, str]):
    """Code point -> a letter for its script, as `str.translate` wants it; filled as met."""

    def __init__(self) -> None:
        super().__init__()
        self._starts, self._labels = _unicode.scripts()
        letters = sorted(map(_letter, set(self._labels) - {0}))
        # One alternative a script keeps `re` from remembering every step of a long run.
        self.runs = re.compile("|".join(f"{letter}[{letter}{_letter(0)}]*" for letter in letters))

    def __missing__(self, code: int) -> str:
        letter = self[code] = _letter(self._labels[bisect_right(self._starts, code) - 1])
        return letter


def _letter(label: int) -> str:
    return chr(0x4E00 + label)  # nothing that means something to `re`


class UnicodeScripts(Splitter):
    """Cuts where the script changes; blanks and code points of no script go with what is before them.

    Leading ones are dropped, as in tokenizers (unicode_scripts/pre_tokenizer.rs).
    """

    def __init__(self) -> None:
        self._scripts: _Scripts | None = None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the runs of one script."""
        if self._scripts is None:
            self._scripts = _Scripts()
        return [match.span() for match in self._scripts.runs.finditer(text.translate(self._scripts))]
