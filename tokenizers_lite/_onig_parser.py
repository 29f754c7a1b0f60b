r"""Parser of Oniguruma patterns: text -> parts (`_onig_nodes`).

The syntax is the one tokenizers compiles with (`onig` crate, `Regex::new`:
Oniguruma's own syntax, no options): `^` and `$` work on lines, `.` excludes
``\n`` only, ``(?m)`` lets it match that too. What stdlib `re` could not match
the same way is refused by name.
"""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite._onig_class import Scanner, bracket
from tokenizers_lite._onig_fold import chars_of, unfold
from tokenizers_lite._onig_nodes import (
    Alt,
    Anchor,
    Atomic,
    Backref,
    Capture,
    Chars,
    Closed,
    Literal,
    Look,
    Node,
    Repeat,
    Seq,
    children,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPEATS = 100_000  # ONIG_MAX_REPEAT_NUM
DEEPEST = 60
DECIMAL = frozenset("0123456789")
ANY = ((0, _unicode.MAX),)
NOT_NEWLINE = _unicode.complement(((10, 10),))


def parse(pattern: str) -> Node:
    """Return the parts of a pattern, with literals and case folding spelled out.

    Raises:
        SpecError: the pattern is broken, or uses something that cannot be matched exactly.
    """
    parser = _Parser(pattern)
    node = parser.alternatives(0)
    if parser.at < len(pattern):
        raise parser.fail("unmatched closing parenthesis")
    parser.check_references(node)
    return unfold(node)


class _Parser(Scanner):
    """Recursive descent: alternatives > sequence > repeated part > part."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.dot_all = False
        self.extended = False
        self.groups = 0
        self.names: dict[str, list[int]] = {}
        self.plain: set[int] = set()

    def alternatives(self, depth: int) -> Node:
        """Read up to the end or to the parenthesis that closes this group."""
        if depth > DEEPEST:
            raise self.fail("groups nest too deeply")
        parts = [self.sequence(depth)]
        while self.accept("|"):
            parts.append(self.sequence(depth))
        return parts[0] if len(parts) == 1 else Alt(parts)

    def sequence(self, depth: int) -> Node:
        """Read up to `|`, `)` or the end; neighbouring literals join."""
        parts: list[Node] = []
        while self.skip_blanks() and self.peek() not in ("|", ")"):
            node = self.repeated(self.part(depth))
            parts += node.parts if isinstance(node, Seq) else (node,)
        return _join(parts)

    def skip_blanks(self) -> bool:
        """Skip comments and what (?x) ignores; tell whether anything is left."""
        while self.at < len(self.text):
            if self.accept("(?#"):
                self.comment()
            elif self.extended and self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            elif self.extended and _unicode.contains(_unicode.ranges("escape:s"), ord(self.peek())):
                self.at += 1
            else:
                break
        return self.at < len(self.text)

    def part(self, depth: int) -> Node:
        """Read one part without its repetition."""
        char = self.take()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return bracket(self)
        if char == ".":
            return Chars(ANY if self.dot_all else NOT_NEWLINE)
        if char in "^$":
            return Anchor(char)
        if char == "\\":
            return self.escape()
        if char in "*+?" or (char == "{" and self.interval() is not None):
            raise self.fail("nothing to repeat")
        return Literal(char, self.ignore_case)

    def escape(self) -> Node:
        """Read what follows a backslash outside of a class."""
        letter = self.take()
        ranges = self.class_escape(letter)
        if ranges is not None:
            return Chars(ranges)
        if letter in "AzZbB":
            return Anchor(letter)
        if letter == "R":
            newline = Alt([Seq([Chars(chars_of("\r")), Chars(chars_of("\n"))]), Chars(_unicode.ranges("escape:r"))])
            return Atomic(newline)
        if letter == "N":
            return Chars(NOT_NEWLINE)
        if letter == "O":
            return Chars(ANY)
        if letter in "GKXyYg":
            raise self.unsupported(f"\\{letter}")
        if letter == "k" and self.peek() in ("<", "'"):
            return self.named_reference(">" if self.take() == "<" else "'")
        if letter in "123456789":
            return self.number_reference(letter)
        return Literal(self.char_escape(letter), self.ignore_case)

    def number_reference(self, letter: str) -> Node:
        """Read a back reference, or an octal escape if there is no such group."""
        start = self.at
        number = int(letter + self.digits(DECIMAL, 4))
        if number <= 9 or number <= self.groups:
            return self.reference(number)
        self.at = start
        if letter in "89":
            raise self.fail(f"there is no group {number}")
        return Literal(self.char_escape(letter), self.ignore_case)

    def named_reference(self, end: str) -> Node:
        """Read the rest of a `k<name>` or `k<n>` reference."""
        name = self.until(end, r"\k")
        if name.isdigit():
            return self.reference(int(name))
        if name[:1] == "-" and name[1:].isdigit() and int(name[1:]) <= self.groups:
            return self.reference(self.groups + 1 - int(name[1:]))
        if name.startswith(("-", "+")) or name not in self.names:
            raise self.unsupported(rf"\k<{name}>")
        numbers = self.names[name]
        if len(numbers) > 1:
            raise self.unsupported(rf"\k<{name}> of a name used twice")
        return self.reference(numbers[0], named=True)

    def reference(self, number: int, named: bool = False) -> Node:
        """Return a back reference; text that was matched is compared exactly only."""
        if self.ignore_case:
            raise self.unsupported("of a back reference under (?i)")
        if not named:
            self.plain.add(number)
        return Backref(number)

    def check_references(self, node: Node) -> None:
        """Refuse references to groups that do not exist, are open or come later."""
        if self.names and self.plain:
            raise self.fail("numbered references are not allowed beside named groups")
        closed: set[int] = set()
        for entered, part in _walk(node):
            if isinstance(part, Capture) and not entered:
                closed.add(part.number)
            if isinstance(part, Backref) and entered and part.number not in closed:
                raise self.unsupported(f"of a reference to group {part.number} before its end")

    def group(self, depth: int) -> Node:
        """Read a group whose `(` is taken."""
        if self.peek() == "*":
            raise self.unsupported("(*...)")
        if not self.accept("?"):
            self.groups += 1
            return self.capture(self.groups, depth)
        kind = self.take()
        if kind == ":":
            return self.body(depth)
        if kind in "=!":
            return Look(self.body(depth), behind=False, negative=kind == "!")
        if kind == ">":
            return Atomic(self.body(depth))
        if kind == "<" and self.peek() in ("=", "!"):
            return self.look_behind(self.take() == "!", depth)
        if kind in "<'":
            return self.named_group(">" if kind == "<" else "'", depth)
        if kind in "imx-":
            return self.options(kind, depth)
        if kind == "P":
            raise self.fail("undefined group option (?P")
        raise self.unsupported(f"(?{kind}")

    def look_behind(self, negative: bool, depth: int) -> Node:
        """Read a look-behind; Oniguruma forbids some parts inside it."""
        body = self.body(depth)
        for _, part in _walk(body):
            if (isinstance(part, Look) and not part.behind) or (negative and isinstance(part, Capture)):
                raise self.fail("a part that is not allowed in a look-behind")
        return Look(body, behind=True, negative=negative)

    def comment(self) -> None:
        """Skip a comment; a backslash protects what follows it."""
        while True:
            char = self.take()
            if char == "\\":
                self.take()
            elif char == ")":
                return

    def body(self, depth: int) -> Node:
        """Read what is inside a group and its `)`; options set inside end with it."""
        saved = self.ignore_case, self.dot_all, self.extended
        node = self.alternatives(depth + 1)
        if not self.accept(")"):
            raise self.fail("a parenthesis is not closed")
        self.ignore_case, self.dot_all, self.extended = saved
        return node

    def capture(self, number: int, depth: int) -> Node:
        """Read a capturing group."""
        return Capture(self.body(depth), number)

    def named_group(self, end: str, depth: int) -> Node:
        """Read a named group from its name on."""
        name = self.until(end, "a group name")
        if not name or not all(c == "_" or c.isalnum() for c in name) or name[0].isdigit():
            raise self.fail(f"invalid group name {name!r}")
        self.groups += 1
        number = self.groups
        self.names.setdefault(name, []).append(number)
        return self.capture(number, depth)

    def options(self, letter: str, depth: int) -> Node:
        """Read `(?imx-imx)` or `(?imx-imx:...)`; the first form lasts to the end of the group around it."""
        saved = self.ignore_case, self.dot_all, self.extended
        on = True
        while letter not in "):":
            if letter == "-":
                on = False
            elif letter == "i":
                self.ignore_case = on
            elif letter == "m":
                self.dot_all = on
            elif letter == "x":
                self.extended = on
            else:
                raise self.unsupported(f"(?{letter})")
            letter = self.take()
        # Without a body the rest of the group, alternatives included: a(?i)b|c is a(?i:b|c).
        node = self.body(depth) if letter == ":" else self.alternatives(depth + 1)
        self.ignore_case, self.dot_all, self.extended = saved
        return Closed(node)

    def interval(self) -> tuple[int, int | None, str] | None:
        """Read `n,m}` after a brace; None (and nothing taken) if it is none."""
        start = self.at
        low = self.digits(DECIMAL, 7)
        comma = self.accept(",")
        high = self.digits(DECIMAL, 7) if comma else low
        if not (low or high) or not self.accept("}"):
            self.at = start
            return None
        least, most = int(low or 0), int(high) if high else None
        if max(least, most or 0) > MOST_REPEATS:
            raise self.fail("too big number for a repeat")
        if most is not None and least > most:
            return most, least, "+"  # Oniguruma: swapped bounds make it possessive
        return least, most, "" if comma else "="

    def repeated(self, node: Node) -> Node:
        """Read the quantifiers behind a part."""
        while self.skip_blanks():
            char = self.peek()
            bounds: tuple[int, int | None, str] | None
            if char in "?*+":
                self.at += 1
                bounds = (int(char == "+"), 1 if char == "?" else None, "*")
            elif char == "{":
                self.at += 1
                bounds = self.interval()
                if bounds is None:
                    self.at -= 1
                    return node
            else:
                return node
            if _only_condition(node):
                raise self.fail("nothing that can be repeated")
            node = self.quantifier(node, *bounds)
        return node

    def quantifier(self, node: Node, low: int, high: int | None, form: str) -> Node:
        """Return the repetition, with a `?` or `+` that belongs to it."""
        kind = "+" if form == "+" else ""
        # A fixed {n} has no lazy form: {n}? is (?:{n})?. Only * + ? have a possessive one.
        if form in ("*", "") and self.accept("?"):
            kind = "?"
        elif form == "*" and self.accept("+"):
            kind = "+"
        return Repeat(node, low, high, kind)


def _only_condition(node: Node) -> bool:
    """Tell whether a part cannot be repeated, because it, or an alternative of it, takes no text."""
    if isinstance(node, Alt):
        return any(map(_only_condition, node.parts))
    return isinstance(node, Anchor | Look)


def _join(parts: list[Node]) -> Node:
    """Return a sequence in which neighbouring literals are one."""
    joined: list[Node] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.fold == last.fold:
            joined[-1] = Literal(last.text + part.text, part.fold)
        else:
            joined.append(part)
    return joined[0] if len(joined) == 1 else Seq(joined)


def _walk(node: Node) -> Iterator[tuple[bool, Node]]:
    """Yield every part when it is entered (True) and left (False)."""
    yield True, node
    for child in children(node):
        yield from _walk(child)
    yield False, node
