"""The parts of a parsed pattern, free of any regex syntax."""

from __future__ import annotations

from tokenizers_lite._unicode import union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers_lite._unicode import Ranges


class Node:
    """Base of all parts."""

    __slots__ = ()


class Chars(Node):
    """One character out of a set."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges


class Literal(Node):
    """A string as the pattern spells it; only the parser sees it, `unfold` replaces it."""

    __slots__ = ("fold", "text")

    def __init__(self, text: str, fold: bool) -> None:
        self.text = text
        self.fold = fold


class Seq(Node):
    """Parts one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = parts


class Alt(Node):
    """The first alternative that leads to a match."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = parts


class Repeat(Node):
    """A part `low` to `high` times (None: any number); greedy "", lazy "?" or possessive "+"."""

    __slots__ = ("body", "high", "kind", "low")

    def __init__(self, body: Node, low: int, high: int | None, kind: str = "") -> None:
        self.body = body
        self.low = low
        self.high = high
        self.kind = kind


class Capture(Node):
    """A numbered group."""

    __slots__ = ("body", "number")

    def __init__(self, body: Node, number: int) -> None:
        self.body = body
        self.number = number


class Closed(Node):
    """A group with options of its own: its literals do not join their neighbours."""

    __slots__ = ("body",)

    def __init__(self, body: Node) -> None:
        self.body = body


class Atomic(Node):
    """A group that is not re-entered once it has matched."""

    __slots__ = ("body",)

    def __init__(self, body: Node) -> None:
        self.body = body


class Look(Node):
    """A condition on the text ahead or behind."""

    __slots__ = ("behind", "body", "negative")

    def __init__(self, body: Node, behind: bool, negative: bool) -> None:
        self.body = body
        self.behind = behind
        self.negative = negative


class Anchor(Node):
    r"""A condition on the position: one of `^ $ A z Z b B`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Backref(Node):
    """The text of an earlier group again."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def children(node: Node) -> Sequence[Node]:
    """Return the parts directly inside a part."""
    if isinstance(node, Seq | Alt):
        return node.parts
    if isinstance(node, Repeat | Capture | Closed | Atomic | Look):
        return (node.body,)
    return ()


def min_length(node: Node) -> int:
    """Return how many characters a match has at least."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Alt):
        return min(map(min_length, node.parts))
    if isinstance(node, Repeat):
        return node.low * min_length(node.body)
    if isinstance(node, Look):
        return 0
    return sum(map(min_length, children(node)))


def first_characters(node: Node) -> Ranges:
    """Return characters before which a part is sure to match something, whatever follows."""
    if isinstance(node, Chars):
        return node.ranges
    if isinstance(node, Alt):
        return union(*map(first_characters, node.parts))
    if isinstance(node, Capture):
        return first_characters(node.body)
    if isinstance(node, Repeat) and node.low == 1:
        return first_characters(node.body)
    if isinstance(node, Seq):
        # Sure if one part takes the character and all others can do without any.
        needed = [part for part in node.parts if not _can_stay_empty(part)]
        if len(needed) == 1:
            return first_characters(needed[0])
    return ()


def _can_stay_empty(node: Node) -> bool:
    return isinstance(node, Repeat) and node.low == 0 and node.kind != "+"
