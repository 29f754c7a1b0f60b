"""NFC, NFD, NFKC and NFKD as tokenizers does them: with the tables of Unicode 9.

Python's `unicodedata` is fast and, for every character Unicode 9 knew, the
same on all versions: normalization is stable. Characters it did not know are
left alone by tokenizers and end whatever is composed or reordered around them
(crate unicode-normalization-alignments), so a text is cut there and the parts
are normalised one by one.
"""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite.normalizers import Normalizer
from tokenizers_lite.normalizers._classes import CharClass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from typing import Literal

    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.spec import normalizers as specs

# Up to this many marks insertion sort costs next to nothing.
LONG_TEXT = 500
LONG_RUN = 100


class Form(Normalizer):
    """Base of the four forms; `name` is what `unicodedata` calls it."""

    name: Literal["NFC", "NFD", "NFKC", "NFKD"]

    def __init__(self, spec: specs.Normalizer) -> None:
        del spec
        self._guard = CharClass("nf:guard", "(%s+)")
        self._runs = CharClass("nf:marks", f"%s{{{LONG_RUN},}}")

    def normalize(self, text: str) -> str:
        """Return the text in this form."""
        if text.isascii():
            return text
        from unicodedata import is_normalized, normalize

        # What a newer Unicode version leaves as it is, Unicode 9 does too.
        if is_normalized(self.name, text):
            return text
        parts = self._guard.regex(text).split(text)
        parts[::2] = [normalize(self.name, self._ordered(part)) for part in parts[::2]]
        return "".join(parts)

    def _ordered(self, text: str) -> str:
        """Return the text with its long runs of marks in canonical order.

        `unicodedata` sorts by insertion, which takes hours for a megabyte of
        marks. Sorting first changes nothing, since it would be done anyway.
        """
        return self._runs.regex(text).sub(_sort_run, text) if len(text) > LONG_TEXT else text

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; a composed character takes the range of the first of its parts."""
        from unicodedata import is_normalized

        if is_normalized(self.name, text.text):
            return text.map(text.text)
        steps = _Steps("NFKD" if "K" in self.name else "NFD")
        changes = steps.decompose(text.text)
        return text.transform(steps.compose(changes) if self.name.endswith("C") else changes)


class NFC(Form):
    """Canonical composition."""

    name = "NFC"


class NFD(Form):
    """Canonical decomposition."""

    name = "NFD"


class NFKC(Form):
    """Compatibility composition."""

    name = "NFKC"


class NFKD(Form):
    """Compatibility decomposition."""

    name = "NFKD"


def _sort_run(match: re.Match[str]) -> str:
    from unicodedata import combining, normalize

    return "".join(sorted("".join(normalize("NFD", char) for char in match[0]), key=combining))


class _Steps:
    """One text's way through decomposition and composition, in (character, change) pairs.

    The numbers are those of crate unicode-normalization-alignments: the first
    character of a decomposition counts as kept (0), the others as new (1);
    composing adds the numbers up and takes one off.
    """

    def __init__(self, form: Literal["NFD", "NFKD"]) -> None:
        self.form = form
        self.unknown = _unicode.ranges("nf:guard")
        self.classes: dict[str, int] = {}
        self.decompositions: dict[str, str] = {}
        self.pairs: dict[str, str] = {}

    def combining(self, char: str) -> int:
        """Return the canonical combining class, 0 for unknown characters."""
        found = self.classes.get(char)
        if found is None:
            from unicodedata import combining

            found = self.classes[char] = 0 if _unicode.contains(self.unknown, ord(char)) else combining(char)
        return found

    def decomposition(self, char: str) -> str:
        """Return a character's full decomposition; an unknown one has none."""
        found = self.decompositions.get(char)
        if found is None:
            from unicodedata import normalize

            known = not _unicode.contains(self.unknown, ord(char))
            found = self.decompositions[char] = normalize(self.form, char) if known else char
        return found

    def pair(self, first: str, second: str) -> str:
        """Return what a starter and the next character compose to, or ""."""
        key = first + second
        found = self.pairs.get(key)
        if found is None:
            from unicodedata import normalize

            unknown = any(_unicode.contains(self.unknown, ord(char)) for char in key)
            composed = key if unknown else normalize("NFC", key)
            found = self.pairs[key] = composed if len(composed) == 1 else ""
        return found

    def decompose(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield the decomposed text, marks sorted."""
        marks: list[tuple[int, str, int]] = []
        for char in text:
            for at, part in enumerate(self.decomposition(char)):
                order = self.combining(part)
                if order:
                    marks.append((order, part, int(at > 0)))
                    continue
                yield from _sorted(marks)
                marks.clear()
                yield part, int(at > 0)
        yield from _sorted(marks)

    def compose(self, changes: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Yield the composed text of a decomposed one."""
        starter: tuple[str, int] | None = None
        waiting: list[tuple[str, int]] = []  # marks behind the starter that did not compose
        last = -1  # the class of the last of them
        for char, change in changes:
            order = self.combining(char)
            if starter is None:
                if order:
                    yield char, change
                else:
                    starter = (char, change)
                continue
            composed = self.pair(starter[0], char) if last < order or last < 0 else ""
            if composed:
                starter = (composed, starter[1] + change - 1)
            elif order:
                waiting.append((char, change))
                last = order
            else:
                yield starter
                yield from waiting
                waiting.clear()
                starter, last = (char, change), -1
        if starter is not None:
            yield starter
        yield from waiting


def _sorted(marks: list[tuple[int, str, int]]) -> Iterator[tuple[str, int]]:
    if len(marks) > 1:
        marks.sort(key=lambda mark: mark[0])
    return ((char, change) for _, char, change in marks)
