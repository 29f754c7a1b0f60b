"""A text under change, with where each of its characters came from.

Hugging Face's `NormalizedString` keeps the original range of every byte; all
bytes of a character always share one range, so characters are enough here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class NormalizedString:
    """An immutable text whose characters know their range in the original.

    Attributes:
        text: the text as it stands.
        starts: for each character of `text`, where its original range starts,
            in characters of the whole original.
        ends: the same for the end of the range.
        base: where the part of the original that this text stands for starts.
        limit: where that part ends.

    `starts` and `ends` of an unchanged text are `range` objects, so making and
    slicing one costs nothing.
    """

    __slots__ = ("base", "ends", "limit", "starts", "text")

    def __init__(self, text: str, starts: Sequence[int], ends: Sequence[int], base: int, limit: int) -> None:
        self.text = text
        self.starts = starts
        self.ends = ends
        self.base = base
        self.limit = limit

    @classmethod
    def of(cls, original: str, base: int = 0) -> NormalizedString:
        """Return `original` unchanged; it starts at `base` in the whole original."""
        limit = base + len(original)
        return cls(original, range(base, limit), range(base + 1, limit + 1), base, limit)

    def __len__(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        return f"NormalizedString({self.text!r}, {self.base}..{self.limit})"

    def offsets(self) -> tuple[int, int]:
        """Return the part of the original that this text stands for."""
        return self.base, self.limit

    def original_range(self, start: int, end: int) -> tuple[int, int]:
        """Return the original range behind characters `start` to `end`."""
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else self.limit
            return at, at
        return self.starts[start], self.ends[end - 1]

    def slice(self, start: int, end: int) -> NormalizedString:
        """Return characters `start` to `end` with the part of the original behind them."""
        base, limit = self.original_range(start, end)
        return NormalizedString(self.text[start:end], self.starts[start:end], self.ends[start:end], base, limit)

    def transform(self, changes: Iterable[tuple[str, int]], initial: int = 0) -> NormalizedString:
        """Return the text rebuilt from `changes`, keeping track of origins.

        Each change is a character and a number: positive for a character that
        is new (it takes the range of the one before it), 0 for one that
        replaces the next old one, -n for one that replaces the next and
        drops the n after it. `initial` old characters are dropped first.

        As in tokenizers (normalizer.rs, `transform` over `Range::Original(..)`)
        leading characters that stand for nothing of the original stay as they
        are and `changes` begin after them.
        """
        if self.base == self.limit:
            return self.transform_range(0, 0, changes, initial)
        start = self._first_with_origin()
        return self if start is None else self.transform_range(start, len(self.text), changes, initial)

    def transform_range(
        self, start: int, end: int, changes: Iterable[tuple[str, int]], initial: int = 0
    ) -> NormalizedString:
        """Do what `transform` does to characters `start` to `end` only."""
        old_starts, old_ends, last = self.starts, self.ends, len(self.text) - 1
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = min(start + initial, end)  # the next old character
        for char, change in changes:
            chars.append(char)
            if change > 0:
                if at < 1:
                    starts.append(self.base)
                    ends.append(self.base)
                    continue
                source = at - 1
            else:
                source = min(at, last)  # tokenizers panics beyond the last
                at = min(at + 1 - change, end)
            starts.append(old_starts[source])
            ends.append(old_ends[source])
        if start > 0 or end <= last:
            chars = [self.text[:start], *chars, self.text[end:]]
            starts = [*old_starts[:start], *starts, *old_starts[end:]]
            ends = [*old_ends[:start], *ends, *old_ends[end:]]
        return NormalizedString("".join(chars), starts, ends, self.base, self.limit)

    def _first_with_origin(self) -> int | None:
        """Return the index of the first character whose range is not empty."""
        starts, ends = self.starts, self.ends
        if not starts:
            return None
        if starts[0] != ends[0]:
            return 0
        return next((i for i, start in enumerate(starts) if start != ends[i]), len(starts))

    def filter(self, keep: Callable[[str], bool]) -> NormalizedString:
        """Return the text without the characters that `keep` refuses."""
        kept = [i for i, char in enumerate(self.text) if keep(char)]
        if len(kept) == len(self.text):
            return self.map(self.text)
        text = self.text
        following = [*kept[1:], len(text)]
        changes = ((text[i], i + 1 - after) for i, after in zip(kept, following, strict=False))
        return self.transform(changes, kept[0] if kept else 0)

    def map(self, text: str) -> NormalizedString:
        """Return the text with each character replaced by the one of `text` at its place."""
        if self._first_with_origin() == 0:
            return NormalizedString(text, self.starts, self.ends, self.base, self.limit)
        return self.transform((char, 0) for char in text)

    def prepend(self, prefix: str) -> NormalizedString:
        """Put `prefix` before a text that is not empty; it shares the first character's range."""
        if not self.text:
            return self
        first = [(char, int(i > 0)) for i, char in enumerate(prefix)]
        return self.transform_range(0, 1, [*first, (self.text[0], 1)])

    def append(self, suffix: str) -> NormalizedString:
        """Put `suffix` after the text; it shares the last character's range."""
        added = [(char, 1) for char in suffix]
        if not self.text:
            return self.transform_range(0, 0, added)
        last = len(self.text) - 1
        return self.transform_range(last, last + 1, [(self.text[last], 0), *added])

    def replace(self, spans: Iterable[tuple[int, int]], content: str) -> NormalizedString:
        """Put `content` in place of each span; it takes the range of the span's last character.

        Spans are ordered and do not overlap; an empty one inserts and takes
        the range of the character before it.
        """
        old_starts, old_ends, size = self.starts, self.ends, len(content)
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end in spans:
            parts += (self.text[done:start], content)
            starts += old_starts[done:start]
            ends += old_ends[done:start]
            starts += [old_starts[end - 1] if end else self.base] * size
            ends += [old_ends[end - 1] if end else self.base] * size
            done = end
        if not parts:
            return self
        parts.append(self.text[done:])
        starts += old_starts[done:]
        ends += old_ends[done:]
        return NormalizedString("".join(parts), starts, ends, self.base, self.limit)
