"""Automaton: a pattern as plain tables, which need no regex engine to run.

`_automaton_build` makes a pattern deterministic once, for the writer of compact
files; what is left is a table of states by character classes that a phone's
C++ and a cold Python process walk one character at a time.
"""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEAD = 0
START = 1


class Automaton(Record):
    """A pattern over character classes.

    Attributes:
        classes: number of character classes; the class number `classes` is the end of the text.
        table: ``table[state * (classes + 1) + class]`` is ``next_state << 1 | ends``,
            where `ends` says that a match ends before this character. State 0
            is dead, state 1 starts. Kept as little-endian u16.
        ranges: (first code point, class) ascending, a range lasting to the
            next. Kept as the distance from the range before (7 bits a byte,
            low first, high bit on all but the last) and a byte for the class.
    """

    classes: int
    table: bytes
    ranges: bytes

    def steps(self) -> Sequence[int]:
        """Return the numbers of `table`."""
        import sys

        if sys.byteorder == "little":
            return memoryview(self.table).cast("H")
        pairs = zip(self.table[::2], self.table[1::2], strict=True)
        return [low | high << 8 for low, high in pairs]

    def starts(self, beyond: int = 0x110000) -> list[tuple[int, int]]:
        """Return the pairs of `ranges` up to the first that starts after `beyond`."""
        found = []
        data = iter(self.ranges)
        first = 0
        for byte in data:
            gap, shift = byte & 127, 7
            while byte & 128:
                byte = next(data)  # noqa: PLW2901
                gap |= (byte & 127) << shift
                shift += 7
            first += gap
            found.append((first, next(data)))
            if first > beyond:
                break
        return found


class Runner:
    """Cuts texts at the matches of an automaton, matches and gaps alike (Split, behavior Isolated)."""

    def __init__(self, automaton: Automaton) -> None:
        self.width = automaton.classes + 1
        self.table = automaton.steps()
        self.class_of = _Classes(automaton.starts)

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text, none of them empty."""
        classes = [self.class_of[char] for char in text]
        size = len(classes)
        classes.append(self.width - 1)
        table, width = self.table, self.width
        pieces = []
        gap = at = 0
        while at < size:
            state, here, end = START, at, -1
            while state:
                step = table[state * width + classes[here]]
                if step & 1:
                    end = here
                state = step >> 1
                here += 1
            if end <= at:  # no match, or an empty one, starts here
                at += 1
                continue
            if gap < at:
                pieces.append(text[gap:at])
            pieces.append(text[at:end])
            gap = at = end
        if gap < size:
            pieces.append(text[gap:])
        return pieces


class _Classes(dict[str, int]):
    """Character -> class, looked up in the ranges when missing; those beyond ASCII are read when one is asked for."""

    def __init__(self, starts: Callable[..., list[tuple[int, int]]]) -> None:
        super().__init__()
        self._starts = starts
        self._ranges = starts(127)

    def __missing__(self, char: str) -> int:
        code = ord(char)
        ranges = self._ranges
        if code > 127 and ranges[-1][0] <= code:  # threads that race read the same
            ranges = self._ranges = self._starts()
        low, high = 0, len(ranges)
        while low + 1 < high:
            middle = (low + high) // 2
            if ranges[middle][0] <= code:
                low = middle
            else:
                high = middle
        found = self[char] = ranges[low][1]
        return found


def chain(automata: Sequence[Automaton]) -> Callable[[str], list[str]]:
    """Return a function that cuts a text by each automaton in turn."""
    runners = [Runner(automaton) for automaton in automata]
    if len(runners) == 1:
        return runners[0].pieces

    def pieces(text: str) -> list[str]:
        found = [text]
        for runner in runners:
            found = [piece for part in found for piece in runner.pieces(part)]
        return found

    return pieces
