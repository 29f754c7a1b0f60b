"""Safe mode: which characters of a rendered text did the template itself write?

Text in a message may spell a special token (``<|im_end|>``). Marking the
*content* would change what templates decide about it (they split at
``</think>``, test ``startswith('<tool_response>')``), so the *template's* text
is marked: in the parsed template, every constant that goes to the output has
its token characters moved to a private-use plane, one for one. Constants that
are only compared, split at or tested keep their characters. The marked
template makes the same decisions, and in its result a special token counts
only if all its punctuation is marked. What the marking misses is taken for
content: the mistake is on the safe side.

Letters, digits, ``_``, ``-`` and white space are not marked, so that
``'<|' + role + '|>'`` is the template's own token.
"""

from __future__ import annotations

from jinja2 import nodes

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

PLANES = (0xF0000, 0x100000)  # the two private-use planes
_UNMARKED = frozenset("_-\"'\\")  # quotes and backslashes: tojson escapes them by what they are

# Of these calls, the arguments at the given places go to the output.
_METHOD_OUTPUT = {"replace": (1,), "get": (1,), "join": (0,), "cycle": range(99), "format": range(99)}
_FILTER_OUTPUT = {"default": (0,), "d": (0,), "join": (0,), "replace": (1,), "format": range(99)}
_LOGIC_FUNCTIONS = frozenset({"raise_exception", "strftime_now", "range"})


def telling(char: str) -> bool:
    """Whether a character of a token tells where the token comes from."""
    return not (char.isalnum() or char.isspace() or char in _UNMARKED) and ord(char) < 0xFFFE


class Marks(Record):
    """How to mark: the plane, the telling characters of all tokens, the tokens without any."""

    plane: int
    chars: str
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, tokens: Iterable[str], plane: int) -> Marks:
        """Marks for the given special tokens."""
        known = sorted({token for token in tokens if token.strip()})
        chars = "".join(sorted({char for token in known for char in token if telling(char)}))
        words = (token for token in known if not any(map(telling, token)) and max(token) < "\ufffe")
        return cls(plane, chars, tuple(words))

    def mark(self, text: str) -> str:
        """Move the token characters of the text to the plane."""
        for word in self.words:
            text = text.replace(word, word.translate({ord(char): self.plane + ord(char) for char in word}))
        return text.translate({ord(char): self.plane + ord(char) for char in self.chars})

    def unmark(self, text: str) -> str:
        """Undo `mark`."""
        return text.translate({self.plane + ord(char): char for char in (*self.chars, *"".join(self.words))})

    def has(self, char: str) -> bool:
        """Whether the character is marked."""
        return self.plane <= ord(char) <= self.plane + 0xFFFD


# The parts of a node that can go to the output, where not all of them do.
_OUTPUT_FIELDS: dict[type[nodes.Node], tuple[str, ...]] = {
    nodes.Compare: (),
    nodes.Test: (),
    nodes.Slice: (),
    nodes.Getitem: ("node",),
    nodes.Pair: ("value",),  # of a dict literal
    nodes.If: ("body", "elif_", "else_"),
    nodes.CondExpr: ("expr1", "expr2"),
    nodes.For: ("iter", "body", "else_"),
}


def mark_template(node: Any, marks: Marks) -> None:
    """Mark, in place, the constants of a parsed template that go to its output."""
    if isinstance(node, nodes.TemplateData):
        node.data = marks.mark(node.data)
    elif isinstance(node, nodes.Const):
        node.value = marks.mark(node.value) if isinstance(node.value, str) else node.value
    for part in _output_parts(node):
        mark_template(part, marks)


def _output_parts(node: Any) -> list[nodes.Node]:
    if isinstance(node, nodes.Call):
        return _called(node)
    if isinstance(node, nodes.Filter):
        subject = [node.node] if node.node is not None and node.name != "format" else []
        return subject + _arguments(node, _FILTER_OUTPUT.get(node.name, ()))
    if isinstance(node, nodes.Mod) and isinstance(node.left, nodes.Const):
        return [node.right]  # '%s' % x: the format is read, not written
    return list(node.iter_child_nodes(only=_OUTPUT_FIELDS.get(type(node), node.fields)))


def _called(node: nodes.Call) -> list[nodes.Node]:
    if not isinstance(node.node, nodes.Getattr):
        logic = isinstance(node.node, nodes.Name) and node.node.name in _LOGIC_FUNCTIONS
        return [] if logic else _arguments(node, range(99))  # a macro, namespace(), dict()
    method, subject = node.node.attr, node.node.node
    read = method == "format" and isinstance(subject, nodes.Const)
    return ([] if read else [subject]) + _arguments(node, _METHOD_OUTPUT.get(method, ()))


def _arguments(node: Any, output: Iterable[int]) -> list[nodes.Node]:
    chosen = frozenset(output)
    return [arg for place, arg in enumerate(node.args) if place in chosen] + (node.kwargs if chosen else [])


def foreign(plain: str, marked: str, tokens: Iterable[str], marks: Marks, given: set[str]) -> list[tuple[int, int]]:
    """Find the characters that would make a special token out of text the template did not write.

    Args:
        plain: the rendered text.
        marked: the same from the marked template.
        tokens: texts of the special tokens.
        marks: how `marked` was marked.
        given: every character that occurs in the input; others can only be the template's.

    Returns:
        Disjoint, sorted character ranges of `plain`. A special token that
        overlaps one of them must be read as ordinary text.
    """
    bad: set[int] = set()
    for token in tokens:
        places = [i for i, char in enumerate(token) if telling(char)] or range(len(token))
        start = plain.find(token) if token.strip() else -1
        while start >= 0:
            foreign_places = [i for i in places if not marks.has(marked[start + i]) and plain[start + i] in given]
            whole = len(foreign_places) == len(places)
            bad.update(start + i for i in (range(len(token)) if whole else foreign_places))
            start = plain.find(token, start + 1)
    ranges: list[tuple[int, int]] = []
    for place in sorted(bad):
        if ranges and ranges[-1][1] == place:
            ranges[-1] = (ranges[-1][0], place + 1)
        else:
            ranges.append((place, place + 1))
    return ranges
