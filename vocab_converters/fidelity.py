"""How faithful a file is: comparison of ids text by text -> report for people and machines."""

from __future__ import annotations

from difflib import SequenceMatcher

from tokenizers_lite._record import Record
from vocab_converters.emulate import ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from vocab_converters._facts import Loss
    from vocab_converters.cases import Case

SHOWN = 60  # characters of an example


class Difference(Record):
    """One text whose ids differ."""

    kind: str
    text: str
    expected: tuple[int, ...]
    got: tuple[int, ...] | None  # None: the reader would throw or abort
    cause: str
    error: str = ""


class Group(Record):
    """Texts of one class or cause: how many, how many differ, how many tokens differ."""

    name: str
    texts: int = 0
    differing: int = 0
    tokens: int = 0
    wrong_tokens: int = 0


class Cause(Record):
    """One reason for differences, with the shortest text that shows it and what would help."""

    name: str
    texts: int
    example: Difference
    remedy: str = ""


class Decoding(Record):
    """How many texts come back changed when their exact ids are printed one by one, with the shortest of them."""

    texts: int = 0
    differing: int = 0
    right: str = ""
    shown: str = ""


class Report(Record):
    """What a file does to a tokenizer.

    Attributes:
        target: the format written ("mtok", "mnn-text:0" ...).
        reader: the program that was emulated.
        groups: figures by class of text.
        causes: figures by cause, most frequent first.
        losses: what the format or reader cannot hold at all, by spec field.
        why: how the target was chosen.
        decoding: whether ids print as they should; None where that was not tried.
    """

    target: str
    reader: str
    groups: tuple[Group, ...] = ()
    causes: tuple[Cause, ...] = ()
    losses: tuple[Loss, ...] = ()
    why: tuple[str, ...] = ()
    decoding: Decoding | None = None

    @property
    def texts(self) -> int:
        """Number of texts compared."""
        return sum(group.texts for group in self.groups)

    @property
    def differing(self) -> int:
        """Number of texts whose ids differ."""
        return sum(group.differing for group in self.groups)

    @property
    def exact(self) -> bool:
        """True if no text differed and no loss of ids is known."""
        return not self.differing and not any(loss.kind == "ids" for loss in self.losses)

    def share(self) -> float:
        """Return the share of texts that differ."""
        return self.differing / self.texts if self.texts else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "target": self.target,
            "reader": self.reader,
            "exact": self.exact,
            "texts": self.texts,
            "differing": self.differing,
            "why": list(self.why),
            "classes": [_plain(group) for group in self.groups],
            "causes": [{**_plain(cause), "example": _plain(cause.example)} for cause in self.causes],
            "losses": [_plain(loss) for loss in self.losses],
            "decoding": None if self.decoding is None else _plain(self.decoding),
        }

    def __str__(self) -> str:
        verdict = "exact on all texts tried" if self.exact else f"{self.differing} of {self.texts} texts differ"
        lines = [f"{self.target} for {self.reader}: {verdict} ({self.texts} texts)"]
        lines += [f"  {reason}" for reason in self.why]
        for group in self.groups:
            if group.differing:
                share = f"{100 * group.differing / group.texts:.1f} % of {group.texts} texts"
                wrong = f"{100 * group.wrong_tokens / max(1, group.tokens):.2f} % of tokens"
                lines.append(f"  {group.name}: {share}, {wrong}")
        for cause in self.causes:
            lines += _cause_lines(cause)
        if self.decoding is not None and self.decoding.differing:
            found = self.decoding
            right, shown = (text if len(text) <= SHOWN else text[:SHOWN] + "..." for text in (found.right, found.shown))
            lines.append(f"  decoding: {found.differing} of {found.texts} texts print changed: {right!r} as {shown!r}")
        for loss in self.losses:
            remedy = f" Remedy: {loss.remedy}." if loss.remedy else ""
            lines.append(f"  {loss.field} ({loss.kind}): {loss.what}.{remedy}")
        return "\n".join(lines)


def _plain(record: Record) -> dict[str, Any]:
    """Return a record's own fields as a dict."""
    return {name: getattr(record, name) for name in record._fields}


def _cause_lines(cause: Cause) -> list[str]:
    """Describe one cause."""
    example = cause.example
    text = example.text if len(example.text) <= SHOWN else example.text[: SHOWN - 3] + "..."
    lines = [f"  cause: {cause.name} ({cause.texts} texts), such as {text!r}"]
    if example.got is None:
        lines.append(f"    the reader fails: {example.error}")
    else:
        start = next((i for i, (a, b) in enumerate(zip(example.expected, example.got)) if a != b), 0)  # noqa: B905
        window = slice(max(0, start - 1), start + 7)
        lines.append(f"    exact {list(example.expected[window])}, reader {list(example.got[window])}")
    if cause.remedy:
        lines.append(f"    remedy: {cause.remedy}")
    return lines


def wrong_tokens(expected: Sequence[int], got: Sequence[int]) -> int:
    """Return how many of the expected tokens are not in place, at least one if anything differs.

    >>> wrong_tokens([1, 2, 3, 4], [1, 9, 4])
    2
    """
    start, end = 0, 0
    shorter = min(len(expected), len(got))
    while start < shorter and expected[start] == got[start]:
        start += 1
    while end < shorter - start and expected[-1 - end] == got[-1 - end]:
        end += 1
    middle, other = expected[start : len(expected) - end], got[start : len(got) - end]
    if len(middle) > 500 or len(other) > 500:
        return len(middle)
    matcher = SequenceMatcher(None, middle, other, autojunk=False)
    missing = len(middle) - sum(block.size for block in matcher.get_matching_blocks())
    return max(missing, 1 if middle or other else 0)


def compare(
    cases: Iterable[Case],
    exact: Callable[[str], Sequence[int]],
    emulated: Callable[[str], Sequence[int]],
    explain: Callable[[str, Sequence[int], Sequence[int] | None], str],
    progress: Callable[[int], object] = lambda _: None,
) -> tuple[list[Group], list[Difference]]:
    """Encode all cases with both and collect what differs.

    Args:
        cases: the texts.
        exact: the tokenizer itself.
        emulated: the file as its reader sees it; may raise ReaderError.
        explain: text, expected and actual ids (None for a failure) -> cause.
        progress: told the number of cases done, now and then.
    """
    counts: dict[str, list[int]] = {}
    differences = []
    for done, case in enumerate(cases):
        if done % 1000 == 0:
            progress(done)
        expected = case.expected if case.expected is not None else exact(case.text)
        error = ""
        try:
            got: Sequence[int] | None = emulated(case.text)
        except ReaderError as failure:
            got, error = None, str(failure)
        row = counts.setdefault(case.kind, [0, 0, 0, 0])
        row[0] += 1
        row[2] += len(expected)
        if got is not None and list(got) == list(expected):
            continue
        row[1] += 1
        row[3] += len(expected) if got is None else wrong_tokens(expected, got)
        cause = explain(case.text, expected, got)
        shown = None if got is None else tuple(got)
        differences.append(Difference(case.kind, case.text, tuple(expected), shown, cause, error))
    return [Group(kind, *row) for kind, row in counts.items()], differences


def by_cause(differences: Iterable[Difference], remedies: dict[str, str]) -> tuple[Cause, ...]:
    """Group differences by cause, each with its shortest text."""
    groups: dict[str, list[Difference]] = {}
    for difference in differences:
        groups.setdefault(difference.cause, []).append(difference)
    causes = [
        Cause(name, len(found), min(found, key=lambda d: (len(d.text), d.text)), remedies.get(name, ""))
        for name, found in groups.items()
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.texts, cause.name)))
