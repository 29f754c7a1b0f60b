"""Boundaries of pieces that nothing around them can move: the pre-tokenizer's and the model's part in seams.

The conditions 3 and 4 in `seams`, which has the argument.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

from tokenizers_lite._automaton import START, Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tokenizers_lite._automaton import Automaton
    from tokenizers_lite.components import Components

    # A normalized stretch -> whether a place in it is a boundary of pieces, whatever stands around the stretch.
    Finder = Callable[[str], Callable[[int], bool]]

# Pieces before a seam that are looked at to see whether they stay when the text ends there.
_CONTEXT = 64


def finder(components: Components) -> Finder | None:
    """Return what finds the boundaries of pieces that nothing around them can move, None if nothing does."""
    from tokenizers_lite.pre_tokenizers import _flat

    spec = components.spec
    parts = [] if spec.pre_tokenizer is None else list(_flat(spec.pre_tokenizer))
    if type(spec.model).__name__ == "BPE" and all(_is_single(part) for part in parts):
        return _between_tokens(components, {part.pattern.text for part in parts})
    if not parts or components.pre_tokenizer is None or components.pre_tokenizer.by_origin:
        return None
    first: Any = parts[0]
    kind = type(first).__name__
    if kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit"):
        return lambda text: lambda place: text[place] == " "
    if kind == "Metaspace":
        return (lambda text: lambda place: text[place] == " ") if first.split else None
    return _by_automaton(components)


def _is_single(part: Any) -> bool:
    """Whether a pre-tokenizer only looks for one certain character."""
    return type(part).__name__ == "Split" and not part.pattern.regex and len(part.pattern.text) == 1


def _between_tokens(components: Components, apart: set[str]) -> Finder | None:
    """Return the finder for BPE over whole texts: between characters that stand side by side in no token."""
    from tokenizers_lite.pipeline import joined_characters

    if "joined" not in components.start and joined_characters(components.model) is None:  # type: ignore[arg-type]
        return None
    tokens = "\0".join(components.spec.model.vocab)
    joined = set(map("".join, pairwise(tokens)))

    def find(text: str) -> Callable[[int], bool]:
        return lambda at: text[at - 1 : at + 1] not in joined and apart.isdisjoint(text[at - 1 : at + 1])

    return find


def _by_automaton(components: Components) -> Finder | None:
    """Return the finder for byte-level tokenizers whose patterns are automata."""
    from tokenizers_lite import _automaton_build
    from tokenizers_lite.pre_tokenizers import byte_level_splitter
    from tokenizers_lite.pre_tokenizers._base import SplitterSequence

    automata = _automaton_build.of_byte_level(components.spec.pre_tokenizer)
    splitter = byte_level_splitter(components.spec.pre_tokenizer)
    if splitter is None or not automata:
        return None
    parts = splitter._parts if isinstance(splitter, SplitterSequence) else (splitter,)
    if len(parts) != len(automata):
        return None
    levels = [_Level(part.pieces, automaton) for part, automaton in zip(parts, automata, strict=True)]

    def decided(text: str) -> list[int]:
        """Return the boundaries of pieces that stay whatever follows."""
        found: list[int] = []
        base = 0
        for level in levels:
            starts, gap = level.decided(text)
            found += [base + start for start in starts]
            if gap is None:
                break
            base, text = base + gap[0], text[slice(*gap)]
        return sorted(found)

    def find(text: str) -> Callable[[int], bool]:
        found = decided(text)

        def fits(place: int) -> bool:
            """Whether a place is a boundary, and the pieces before it are the same if the text ends there."""
            at = bisect_left(found, place)
            if at == len(found) or found[at] != place:
                return False
            since = found[max(at - _CONTEXT, 0)] if at > _CONTEXT else 0
            since += max(decided(text[since:place]), default=0)
            before = splitter.pieces(text[since:place])
            return splitter.pieces(text[since:])[: len(before)] == before

        return fits

    return find


class _Level:
    """One of the patterns that cut the text, or what the patterns before have left whole."""

    def __init__(self, pieces: Callable[[str], list[str]], automaton: Automaton) -> None:
        self._pieces = pieces
        self._runner = Runner(automaton)
        self._foresight = foresight(automaton)

    def decided(self, text: str) -> tuple[list[int], tuple[int, int] | None]:
        """Return what stays whatever follows: starts of pieces, and a stretch after them where no match begins."""
        limit = self._limit(text)
        starts: list[int] = []
        pending = end = len(text)
        for piece in reversed(self._pieces(text)):
            start = end - len(piece)
            if end <= limit:
                starts.append(start)
            else:
                pending = start
            end = start
        gap = pending < limit and not self._matches(text, pending)
        return starts, (pending, limit) if gap else None

    def _limit(self, text: str) -> int:
        """Return up to where matches may end and be decided."""
        class_of, idle = self._runner.class_of, self._foresight.idle
        left = self._foresight.steps + 2  # one that ends the match, one that ends the walk
        at = len(text)
        while left and at:
            at -= 1
            left -= class_of[text[at]] not in idle
        return 0 if left else at

    def _matches(self, text: str, at: int) -> bool:
        """Tell whether a match starts at a place."""
        runner, state = self._runner, START
        for char in text[at:]:
            step = runner.table[state * runner.width + runner.class_of[char]]
            if step & 1:  # patterns match at least one character
                return True
            state = step >> 1
            if not state:
                return False
        return bool(runner.table[state * runner.width + runner.width - 1] & 1)


class Foresight(NamedTuple):
    """How far an automaton may read in vain beyond the end of a match.

    Attributes:
        idle: classes of which it may read any number (such as blanks that might end in a line feed).
        steps: how many characters of other classes it reads at most.
    """

    idle: frozenset[int]
    steps: int


def foresight(automaton: Automaton) -> Foresight:
    """Return the foresight of an automaton.

    Take the graph of its steps that end no match. A step within a strongly
    connected component may come again without end: its class is idle. Any other
    leads to another component, so a walk takes at most as many as the longest path
    through the components, and then ends a match or dies.
    """
    table, width = automaton.steps(), automaton.classes + 1
    states = range(1, len(table) // width)
    vain: dict[int, list[tuple[int, int]]] = {state: [] for state in states}
    for state in states:
        for number, step in enumerate(table[state * width : (state + 1) * width - 1]):
            if step >> 1 and not step & 1:
                vain[state].append((number, step >> 1))
    reach = {state: _reached(vain, state) for state in states}
    idle = frozenset(number for state in states for number, to in vain[state] if state in reach[to])
    longest: dict[int, int] = {}
    # Whoever reaches less comes first, so that what a step leads to is known.
    for state in sorted(states, key=lambda state: len(reach[state])):
        ways = [
            to for member in reach[state] if state in reach[member] for _, to in vain[member] if member not in reach[to]
        ]
        longest[state] = max((longest[to] + 1 for to in ways), default=0)
    return Foresight(idle, max(longest.values()))


def _reached(steps: dict[int, list[tuple[int, int]]], start: int) -> set[int]:
    """Return the states that can be reached from one, itself included."""
    seen = {start}
    waiting = [start]
    for state in waiting:
        for _, to in steps[state]:
            if to not in seen:
                seen.add(to)
                waiting.append(to)
    return seen
