r"""Writer of stdlib `re` patterns: parts -> text, given how to write a set of characters.

Works for every Python from 3.10 on: atomic groups and possessive repeats,
which `re` has from 3.11 on only, are written as a look-ahead that captures and
a reference to what it captured, unless `native` is asked for.
"""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite._onig_nodes import Alt, Anchor, Atomic, Backref, Capture, Chars, Look, Node, Repeat, Seq, children
from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenizers_lite._unicode import Ranges

MOST_BEHIND = 200  # alternatives a look-behind may be spelled out into


def render(node: Node, write: Callable[[Ranges], str], native: bool = False) -> str:
    """Return the pattern of `node`, each set of characters written by `write`.

    Raises:
        SpecError: a look-behind cannot be spelled out.
    """
    used = {part.number for part in walk(node) if isinstance(part, Backref)}
    return _Renderer(write, native, used).alternatives(node)


def walk(node: Node) -> Iterator[Node]:
    """Yield a part and everything inside it."""
    yield node
    for child in children(node):
        yield from walk(child)


def sets(node: Node) -> list[Ranges]:
    """Return every set of characters that rendering the parts writes, in a fixed order."""
    found: dict[Ranges, None] = {}

    def write(ranges: Ranges) -> str:
        found.setdefault(ranges)
        return "x"

    render(node, write)
    return list(found)


class _Renderer:
    def __init__(self, write: Callable[[Ranges], str], native: bool, used: set[int]) -> None:
        self.write = write
        self.native = native
        self.used = used
        self.atoms = 0

    def alternatives(self, node: Node) -> str:
        """Write a whole pattern or the inside of a group."""
        if isinstance(node, Alt):
            return "|".join(map(self.sequence, node.parts))
        return self.sequence(node)

    def sequence(self, node: Node) -> str:
        """Write a part so that others may follow it."""
        if isinstance(node, Seq):
            return "".join(map(self.sequence, node.parts))
        if isinstance(node, Chars):
            return self.write(node.ranges)
        if isinstance(node, Alt):
            return f"(?:{self.alternatives(node)})"
        if isinstance(node, Repeat):
            return self.repeat(node)
        if isinstance(node, Capture):
            opening = f"(?P<g{node.number}>" if node.number in self.used else "(?:"
            return f"{opening}{self.alternatives(node.body)})"
        if isinstance(node, Atomic):
            return self.atomic(self.alternatives(node.body))
        if isinstance(node, Look):
            return self.look(node)
        if isinstance(node, Anchor):
            return self.anchor(node.kind)
        assert isinstance(node, Backref)
        return f"(?P=g{node.number})"

    def atomic(self, body: str) -> str:
        """Write a group that is not re-entered."""
        if self.native:
            return f"(?>{body})"
        self.atoms += 1
        name = f"a{self.atoms}"
        return f"(?=(?P<{name}>{body}))(?P={name})"

    def repeat(self, node: Repeat) -> str:
        """Write a repetition."""
        low, high = node.low, node.high
        if high == 0:
            return "(?:)"
        single = isinstance(node.body, Chars)
        body = self.sequence(node.body) if single else f"(?:{self.alternatives(node.body)})"
        bounds = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((low, high))
        if bounds is None:
            bounds = f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"
        if node.kind == "+":
            return self.atomic(body + bounds)
        return body + bounds + node.kind

    def anchor(self, kind: str) -> str:
        """Write a condition on the position."""
        newline = self.write(((10, 10),))
        if kind == "^":  # not behind a final newline
            return rf"(?:\A|(?<={newline})(?!\Z))"
        if kind == "$":
            return rf"(?={newline}|\Z)"
        if kind == "Z":
            return rf"(?={newline}?\Z)"
        if kind in "Az":
            return r"\A" if kind == "A" else r"\Z"
        word = self.write(_unicode.ranges("escape:w"))
        both, neither = rf"(?<={word})(?={word})", rf"(?<!{word})(?!{word})"
        at_border, inside = rf"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))", f"(?:{both}|{neither})"
        return at_border if kind == "b" else inside

    def look(self, node: Look) -> str:
        """Write a look-ahead or look-behind; `re` wants one width for each look-behind."""
        if not node.behind:
            return f"(?{'!' if node.negative else '='}{self.alternatives(node.body)})"
        texts = [self.sequence(Seq(parts)) for parts in _spell_out(node.body)]
        if node.negative:
            return "".join(f"(?<!{text})" for text in texts)
        return "(?:" + "|".join(f"(?<={text})" for text in texts) + ")"


def _spell_out(node: Node) -> list[list[Node]]:
    """Return alternatives of one width each that together match what `node` does."""
    if isinstance(node, Chars | Anchor | Look):
        return [[node]]
    if isinstance(node, Alt):
        found = [parts for part in node.parts for parts in _spell_out(part)]
    elif isinstance(node, Seq):
        found = [[]]
        for part in node.parts:
            found = _bounded([a + b for a in found for b in _spell_out(part)])
    elif isinstance(node, Repeat) and node.high is not None and node.kind != "+" and node.high <= MOST_BEHIND:
        found = []
        for count in range(node.low, node.high + 1):
            found = _bounded(found + _spell_out(Seq([node.body] * count)))
    elif isinstance(node, Capture):
        found = _spell_out(node.body)
    else:
        raise SpecError("the regex construct (?<=...) around something of no bounded width is not supported")
    return _bounded(found)


def _bounded(found: list[list[Node]]) -> list[list[Node]]:
    if len(found) > MOST_BEHIND:
        raise SpecError("the regex construct (?<=...) has too many alternatives")
    return found
