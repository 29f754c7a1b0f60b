"""Patterns of Split and Replace: where they match, exactly as Oniguruma says.

An Oniguruma pattern is parsed once and written again for stdlib `re` with
every character class spelled out from pinned tables. Which spelling runs is
decided by the text: classes up to U+007F or U+FFFF make `re` far faster than
classes up to U+10FFFF, so texts with characters beyond U+FFFF are instead
translated into letters, one per class the pattern can tell apart.
"""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from tokenizers_lite._onig_nodes import Node
    from tokenizers_lite._unicode import Ranges

ASCII, BMP = 0x7F, 0xFFFF
# With a stored class table, so many characters are matched before patterns of
# our own are compiled: that takes as long as a few 100 KB take through the table.
PATIENCE = 200_000


def parse(pattern: str, regex: bool = True) -> Node:
    """Return the parts of an Oniguruma pattern, or of a literal string."""
    if regex:
        from tokenizers_lite import _onig_parser

        return _onig_parser.parse(pattern)
    from tokenizers_lite._onig_fold import chars_of
    from tokenizers_lite._onig_nodes import Chars, Seq

    return Seq([Chars(chars_of(char)) for char in pattern])


def source(pattern: str, limit: int = _unicode.MAX, native: bool = False) -> str:
    """Return a pattern for stdlib `re` that is right for texts up to the code point `limit`.

    Without `native` it suits every supported Python version.
    """
    from tokenizers_lite._onig_render import render

    return render(parse(pattern), lambda ranges: _set_text(ranges, limit), native)


def compile(pattern: str) -> re.Pattern[str]:  # noqa: A001 - patterns.compile says it best
    """Return the exact stdlib equivalent of a pattern, for any text.

    Its matches are Oniguruma's; how *empty* matches follow each other is not,
    see `SplitPattern.spans`.
    """
    import re

    return re.compile(source(pattern))


class SplitPattern:
    """A compiled pattern.

    Args:
        pattern: an Oniguruma regex, or a literal string.
        regex: whether it is a regex.
        table: its class table, if one was stored; spares building it.

    Attributes:
        min_length: how many characters a match has at least.
        covers: whether matches are sure to leave no gaps and none is empty,
            so that `findall` of the right `regex` gives every piece.

    Raises:
        SpecError: the pattern is broken or cannot be matched exactly.
    """

    def __init__(self, pattern: str, regex: bool = True, table: ClassTable | None = None) -> None:
        self.pattern = pattern
        self.is_regex = regex
        self._table = table
        self._patience = PATIENCE if table is not None else 0
        self._compiled: dict[int, re.Pattern[str]] = {}
        self._node: Node | None = None
        if table is not None:
            self.min_length = table.min_length
            self.covers = table.covers
            return
        from tokenizers_lite._onig_nodes import min_length
        from tokenizers_lite._onig_render import sets

        self._node = parse(pattern, regex)
        sets(self._node)  # refuses what cannot be written
        self.min_length = min_length(self._node)
        self.covers = _covers(self._node)

    def __reduce__(self) -> tuple[object, ...]:
        return SplitPattern, (self.pattern, self.is_regex, self._table)

    def regex(self, limit: int) -> re.Pattern[str]:
        """Return the compiled pattern for texts up to a code point."""
        found = self._compiled.get(limit)
        if found is None:
            import re
            import sys

            from tokenizers_lite._onig_render import render

            if self._node is None:
                self._node = parse(self.pattern, self.is_regex)
            native = sys.version_info >= (3, 12)  # 3.11 has bugs in possessive repeats
            found = re.compile(render(self._node, lambda ranges: _set_text(ranges, limit), native))
            self._compiled[limit] = found
        return found

    @property
    def table(self) -> ClassTable | None:
        """The class table, or None if the pattern has too many classes or compares texts."""
        if self._table is None and self._node is not None:
            self._table = class_table(self.pattern, self.is_regex)
        return self._table

    def _prepared(self, text: str) -> tuple[re.Pattern[str], str]:
        """Return the cheapest exact pattern for a text, and the text it runs on."""
        if self._patience > 0 and self._table is not None:
            self._patience -= len(text)
            return self._table.regex, text.translate(self._table)
        if text.isascii():
            return self.regex(ASCII), text
        if is_bmp(text):
            return self.regex(BMP), text
        table = self.table
        if table is None:
            return self.regex(_unicode.MAX), text
        return table.regex, text.translate(table)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pattern matches, as the `onig` crate's `find_iter` reports it; never in an empty text."""
        if not text:
            return []
        regex, text = self._prepared(text)
        if self.min_length:
            return [match.span() for match in regex.finditer(text)]
        return list(_spans_with_empty(regex, text))

    def finditer_spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield `spans` one by one."""
        return iter(self.spans(text))

    def split(self, text: str) -> list[tuple[int, int, bool]]:
        """Return the whole text as (start, end, is match), gaps between matches included.

        As tokenizers' `Pattern::find_matches`: an empty text gives one empty gap.
        """
        if not text:
            return [(0, 0, False)]
        parts = []
        at = 0
        for start, end in self.spans(text):
            if start != at:
                parts.append((at, start, False))
            parts.append((start, end, True))
            at = end
        if at != len(text):
            parts.append((at, len(text), False))
        return parts

    def pieces(self, text: str) -> list[str]:
        """Return the non-empty pieces of `split`: what Split with behavior Isolated gives."""
        if self.covers:
            regex, prepared = self._prepared(text)
            if prepared is not text:
                return [text[match.start() : match.end()] for match in regex.finditer(prepared)]
            if not regex.groups:
                return regex.findall(text)
            return [match[0] for match in regex.finditer(text)]
        return [text[start:end] for start, end, _ in self.split(text) if start != end]


def _spans_with_empty(regex: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield matches of a pattern that may match nothing.

    The `onig` crate (find.rs) drops an empty match right behind another match.
    """
    at, last = 0, -1
    while at <= len(text):
        match = regex.search(text, at)
        if match is None:
            return
        start, end = match.span()
        at = end + (start == end)
        if start != end or end != last:
            yield start, end
            last = end


def is_bmp(text: str) -> bool:
    """Tell whether a text has no character beyond U+FFFF.

    CPython stores the widest character's width for all, which shows in the
    size; only where the size leaves doubt the characters are looked at.
    """
    import sys

    return sys.getsizeof(text, 1 << 60) < 4 * len(text) or max(text, default="") <= "\uffff"


class ClassTable(dict[int, str]):
    """A pattern over letters instead of characters: a mapping for `str.translate`.

    Attributes:
        ranges: (first, last, letter), ascending, for every code point; the
            letters are ASCII characters.
        source: the pattern over those letters, ASCII, for any Python's `re`.
        min_length: see `SplitPattern`.
        covers: see `SplitPattern`.
    """

    def __init__(self, ranges: tuple[tuple[int, int, str], ...], source: str, min_length: int, covers: bool) -> None:
        super().__init__()
        self.ranges = ranges
        self.source = source
        self.min_length = min_length
        self.covers = covers
        self._regex: re.Pattern[str] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return ClassTable, (self.ranges, self.source, self.min_length, self.covers)

    def __missing__(self, code: int) -> str:
        low, high = 0, len(self.ranges)
        while low + 1 < high:
            middle = (low + high) // 2
            if self.ranges[middle][0] <= code:
                low = middle
            else:
                high = middle
        letter = self[code] = self.ranges[low][2]
        return letter

    @property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern over letters."""
        if self._regex is None:
            import re

            self._regex = re.compile(self.source)
        return self._regex


def class_table(pattern: str, regex: bool = True) -> ClassTable | None:
    """Return the pattern over class letters, or None if it needs more than 100 or compares texts.

    Two characters share a letter if no set in the pattern tells them apart.
    The result is the same for every run and Python version.
    """
    from tokenizers_lite._onig_nodes import Backref, min_length
    from tokenizers_lite._onig_render import render, sets, walk

    node = parse(pattern, regex)
    if any(isinstance(part, Backref) for part in walk(node)):
        return None
    used = sets(node)
    cells = _partition(used)
    keys = sorted({key for _, _, key in cells}, key=lambda key: next(c[0] for c in cells if c[2] == key))
    letters = _letters(keys, cells)
    if letters is None:
        return None

    def write(ranges: Ranges) -> str:
        at = used.index(ranges)
        inside = [ord(letters[key]) for key in keys if key >> at & 1]
        return _set_text(_unicode.union((code, code) for code in inside), ASCII)

    ranges = tuple((first, last, letters[key]) for first, last, key in cells)
    return ClassTable(ranges, render(node, write), min_length(node), _covers(node))


def _covers(node: Node) -> bool:
    from tokenizers_lite._onig_nodes import first_characters, min_length

    return min_length(node) > 0 and first_characters(node) == ((0, _unicode.MAX),)


def _partition(used: list[Ranges]) -> list[tuple[int, int, int]]:
    """Return (first, last, key) over all code points; bit i of the key: in the i-th set."""
    changes: dict[int, int] = {0: 0}
    for index, ranges in enumerate(used):
        for first, last in ranges:
            changes[first] = changes.get(first, 0) ^ 1 << index
            changes[last + 1] = changes.get(last + 1, 0) ^ 1 << index
    cells: list[tuple[int, int, int]] = []
    key = 0
    starts = sorted(code for code in changes if code <= _unicode.MAX)
    for start, following in zip(starts, [*starts[1:], _unicode.MAX + 1], strict=True):
        key ^= changes[start]
        if cells and cells[-1][2] == key:
            cells[-1] = (cells[-1][0], following - 1, key)
        else:
            cells.append((start, following - 1, key))
    return cells


def _letters(keys: list[int], cells: list[tuple[int, int, int]]) -> dict[int, str] | None:
    """Choose an ASCII character for each class, one of its own where it has any."""
    if len(keys) > 100:
        return None
    letters: dict[int, str] = {}
    for first, last, key in cells:
        for code in range(first, min(last, ASCII) + 1):
            # Something printable is easier to read and safer in text files.
            if key not in letters or not 32 < ord(letters[key]) < 127:
                letters[key] = chr(code)
    free = (chr(c) for c in (*range(33, 127), *range(1, 33)) if chr(c) not in set(letters.values()))
    for key in keys:
        if key not in letters:
            letters[key] = next(free)
    return letters


def _set_text(ranges: Ranges, limit: int) -> str:
    """Write one set of characters for `re`."""
    if not ranges:
        return "(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        code = ranges[0][0]
        return _unicode.escape(code) if code <= limit else "(?!)"
    if ranges == ((0, _unicode.MAX),):
        return "(?s:.)"
    return _unicode.class_text(ranges, limit)


__all__ = ["ClassTable", "SpecError", "SplitPattern", "class_table", "compile", "is_bmp", "parse", "source"]
