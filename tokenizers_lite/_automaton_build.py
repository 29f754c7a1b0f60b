"""Making automata: a pattern -> its tables (`_automaton`).

Oniguruma prefers earlier alternatives and longer repeats, so states are
*ordered* lists of what the backtracking matcher would still try (as in RE2's
leftmost-first matching).
"""

from __future__ import annotations

from tokenizers_lite._automaton import DEAD, START, Automaton

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tokenizers_lite._onig_nodes import Node

# Most states of one automaton; patterns of real tokenizers need 10 to 40.
MAX_STATES = 1000
# Most classes: they are kept as bytes.
MAX_CLASSES = 200


def of_byte_level(pre_tokenizer: Any) -> list[Automaton] | None:
    """Return the automata, one after the other, that cut as a byte-level pre-tokenizer's spec does.

    None unless it is a chain of isolating splitters that ends in ByteLevel.
    """
    from tokenizers_lite import _unicode
    from tokenizers_lite._onig_nodes import Chars
    from tokenizers_lite.pre_tokenizers import _flat
    from tokenizers_lite.pre_tokenizers._byte_level import GPT2_PATTERN

    *splitters, last = _flat(pre_tokenizer)
    if type(last).__name__ != "ByteLevel" or last.add_prefix_space:
        return None
    automata: list[Automaton | None] = []
    for part in splitters:
        kind = type(part).__name__
        if kind == "Split" and part.behavior == "Isolated" and not part.invert:
            automata.append(build(part.pattern.text, part.pattern.regex))
        elif kind == "Digits" and part.individual_digits:
            automata.append(build_node(Chars(_unicode.ranges("rust:numeric"))))
        else:
            return None
    if last.use_regex:
        automata.append(build(GPT2_PATTERN))
    return None if None in automata else automata  # type: ignore[return-value]


def build(pattern: str, regex: bool = True) -> Automaton | None:
    """Return the automaton of a pattern.

    None if the pattern looks further than one character ahead, looks behind,
    refers back, commits to a choice (possessive or atomic) or may match nothing.
    """
    from tokenizers_lite.patterns import parse

    return build_node(parse(pattern, regex))


def build_node(node: Node) -> Automaton | None:
    """Return the automaton of a parsed pattern, as `build`."""
    from tokenizers_lite._onig_nodes import min_length
    from tokenizers_lite._onig_render import sets
    from tokenizers_lite.patterns import _partition

    if not min_length(node):
        return None
    used = sets(node)
    cells = _partition(used)
    numbers = {key: number for number, key in enumerate(dict.fromkeys(key for _, _, key in cells))}
    members = {
        ranges: frozenset(number for key, number in numbers.items() if key >> at & 1) for at, ranges in enumerate(used)
    }
    if len(numbers) > MAX_CLASSES:
        return None
    program = _Program(members, len(numbers))
    try:
        start = program.add(node, program.emit("match"))
    except _BeyondError:
        return None
    table = _determine(program, start, len(numbers))
    if table is None:
        return None
    from struct import pack

    ranges = bytearray()
    before = 0
    for first, _, key in cells:
        gap = first - before
        while gap > 127:
            ranges.append(gap & 127 | 128)
            gap >>= 7
        ranges += bytes((gap, numbers[key]))
        before = first
    return Automaton(len(numbers), pack(f"<{len(table)}H", *table), bytes(ranges))


class _BeyondError(Exception):
    """The pattern has a part that an automaton with one character of foresight cannot follow."""


class _Program:
    """Instructions of a backtracking matcher, built back to front: each knows what follows it."""

    def __init__(self, members: dict[Any, frozenset[int]], classes: int) -> None:
        self.members = members
        self.end = classes
        self.everything = frozenset(range(classes + 1))
        self.code: list[tuple[str, Any, Any]] = []

    def emit(self, kind: str, a: Any = None, b: Any = None) -> int:
        """Add an instruction: match | char set next | look set next | split first-choice second-choice."""
        self.code.append((kind, a, b))
        return len(self.code) - 1

    def add(self, node: Node, after: int) -> int:
        """Add the instructions of a part before `after`; return where they start."""
        kind = type(node).__name__
        if kind == "Chars":
            return self.emit("char", self.members[node.ranges], after)  # type: ignore[attr-defined]
        if kind == "Seq":
            for part in reversed(node.parts):  # type: ignore[attr-defined]
                after = self.add(part, after)
            return after
        if kind == "Alt":
            starts = [self.add(part, after) for part in node.parts]  # type: ignore[attr-defined]
            return self.choice(starts)
        if kind in ("Capture", "Closed"):
            return self.add(node.body, after)  # type: ignore[attr-defined]
        if kind == "Repeat":
            return self.repeat(node, after)
        if kind == "Look" and not node.behind:  # type: ignore[attr-defined]
            inside = self.one_character(node.body)  # type: ignore[attr-defined]
            allowed = self.everything - inside if node.negative else inside  # type: ignore[attr-defined]
            return self.emit("look", allowed, after)
        if kind == "Anchor" and node.kind == "z":  # type: ignore[attr-defined]
            return self.emit("look", frozenset((self.end,)), after)
        raise _BeyondError

    def choice(self, starts: list[int]) -> int:
        """Try several starts in order."""
        first = starts[-1]
        for start in reversed(starts[:-1]):
            first = self.emit("split", start, first)
        return first

    def one_character(self, node: Node) -> frozenset[int]:
        """Return the classes of a part that always takes exactly one character."""
        kind = type(node).__name__
        if kind == "Chars":
            return self.members[node.ranges]  # type: ignore[attr-defined]
        if kind == "Seq" and len(node.parts) == 1:  # type: ignore[attr-defined]
            return self.one_character(node.parts[0])  # type: ignore[attr-defined]
        if kind == "Alt":
            return frozenset().union(*map(self.one_character, node.parts))  # type: ignore[attr-defined]
        if kind in ("Capture", "Closed"):
            return self.one_character(node.body)  # type: ignore[attr-defined]
        raise _BeyondError

    def repeat(self, node: Any, after: int) -> int:
        """Add a greedy or lazy repetition."""
        from tokenizers_lite._onig_nodes import min_length

        if node.kind == "+" or not min_length(node.body) or max(node.low, node.high or 0) > 64:
            raise _BeyondError
        lazy = node.kind == "?"
        if node.high is None:
            loop = self.emit("split")
            body = self.add(node.body, loop)
            self.code[loop] = ("split", after, body) if lazy else ("split", body, after)
            after = loop
        else:
            done = after
            for _ in range(node.high - node.low):
                body = self.add(node.body, after)
                after = self.emit("split", done, body) if lazy else self.emit("split", body, done)
        for _ in range(node.low):
            after = self.add(node.body, after)
        return after


def _determine(program: _Program, start: int, classes: int) -> list[int] | None:
    """Return the table of the automaton, None if it gets too large."""
    states: dict[tuple[int, ...], int] = {(): DEAD, (start,): START}
    waiting = [(), (start,)]
    table: list[int] = []
    for state in waiting:  # grows while it is walked
        for number in range(classes + 1):
            following, ends = _step(program, state, number)
            if following not in states:
                if len(states) >= MAX_STATES:
                    return None
                states[following] = len(states)
                waiting.append(following)
            table.append(states[following] << 1 | ends)
    return table


def _step(program: _Program, state: Iterable[int], number: int) -> tuple[tuple[int, ...], bool]:
    """Return the state after a character of a class, and whether a match ends before it."""
    following: dict[int, None] = {}
    seen: set[int] = set()
    stack = list(state)[::-1]
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        kind, a, b = program.code[at]
        if kind == "match":
            return tuple(following), True  # whatever comes later is worse
        if kind == "char":
            if number in a:
                following.setdefault(b)
        elif kind == "look":
            if number in a:
                stack.append(b)
        else:
            stack += (b, a)
    return tuple(following), False
