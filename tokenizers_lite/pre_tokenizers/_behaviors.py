"""What becomes of the matches of a pattern: the five split behaviours of tokenizers.

A text is first divided into events, matches and the gaps between them; a
behaviour then drops or joins neighbouring events (tokenizers,
tokenizer/normalizer.rs, `split`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Event = tuple[int, int, bool]  # start, end, whether it is a match
    Spans = list[tuple[int, int]]


def arrange(found: list[Event], behavior: str, invert: bool = False) -> Spans:
    """Return the spans of the pieces, none empty; `invert` takes gaps for matches and matches for gaps."""
    if invert:
        found = [(start, end, not is_match) for start, end, is_match in found]
    return [(start, end) for start, end in _ARRANGE[behavior](found) if start < end]


def _removed(found: list[Event]) -> Spans:
    return [(start, end) for start, end, is_match in found if not is_match]


def _isolated(found: list[Event]) -> Spans:
    return [(start, end) for start, end, _ in found]


def _contiguous(found: list[Event]) -> Spans:
    return _joined(found, lambda is_match, before: is_match == before)


def _merged_with_previous(found: list[Event]) -> Spans:
    return _joined(found, lambda is_match, before: is_match and not before)


def _merged_with_next(found: list[Event]) -> Spans:
    backwards = [(-end, -start, is_match) for start, end, is_match in reversed(found)]
    return [(-end, -start) for start, end in reversed(_merged_with_previous(backwards))]


def _joined(found: list[Event], joins: Callable[[bool, bool], bool]) -> Spans:
    """Join an event to the piece before it where `joins(is_match, before was a match)`."""
    spans: Spans = []
    before = False
    for start, end, is_match in found:
        if spans and joins(is_match, before):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        before = is_match
    return spans


_ARRANGE: dict[str, Callable[[list[Event]], Spans]] = {
    "Removed": _removed,
    "Isolated": _isolated,
    "Contiguous": _contiguous,
    "MergedWithPrevious": _merged_with_previous,
    "MergedWithNext": _merged_with_next,
}

# The same for matches of one character of a class: a pattern whose matches are
# the pieces. {c} is the class, {n} its complement.
CLASS_PATTERNS = {
    "Removed": "{n}+",
    "Isolated": "{n}+|{c}",
    "Contiguous": "{n}+|{c}+",
    "MergedWithPrevious": "{n}+{c}?|{c}",
    "MergedWithNext": "{c}?{n}+|{c}",
}
INVERTED_CLASS_PATTERNS = {
    "Removed": "{c}",
    "Isolated": CLASS_PATTERNS["Isolated"],
    "Contiguous": CLASS_PATTERNS["Contiguous"],
    "MergedWithPrevious": CLASS_PATTERNS["MergedWithNext"],
    "MergedWithNext": CLASS_PATTERNS["MergedWithPrevious"],
}
