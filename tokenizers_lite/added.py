"""Added tokens: text -> parts, each plain text or the id of a matched token.

Semantics of tokenizers 0.23 (`tokenizer/added_vocabulary.rs`): the leftmost
longest match wins, then `single_word`, `lstrip` and `rstrip` are looked at, so
a match that one of them rejects still hides shorter tokens inside it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tokenizers_lite.spec import AddedToken

# White_Space of Unicode, which Rust's `\s` and `char::is_whitespace` are.
WHITESPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class Matcher:
    """Finds the tokens of one set in a text, leftmost longest."""

    def __init__(self, tokens: Iterable[tuple[str, AddedToken]]) -> None:
        """Take (text to look for, token) pairs; a repeated text keeps the last token."""
        self.tokens = {text: token for text, token in tokens if text}
        lengths: dict[str, set[int]] = {}
        for text in self.tokens:
            lengths.setdefault(text[:2], set()).add(len(text))
        singles = {text for text in lengths if len(text) == 1}
        # Candidate lengths by the first two characters, longest first.
        self._lengths = {
            start: sorted(found | ({1} if start[0] in singles else set()), reverse=True)
            for start, found in lengths.items()
        }
        self._starts = _starts_pattern(lengths) if lengths else None

    def find(self, text: str) -> Iterator[tuple[int, int, AddedToken]]:
        """Yield (start, end, token) of the matches that do not overlap."""
        if self._starts is None:
            return
        search = self._starts.search
        tokens = self.tokens
        at = 0
        while (hit := search(text, at)) is not None:
            at = start = hit.start()
            lengths = self._lengths.get(hit.group()) or self._lengths[text[start]]
            for length in lengths:
                found = text[start : start + length]
                token = tokens.get(found)
                if token is not None:
                    at = start + len(found)  # `length` may reach past the end
                    yield start, at, token
                    break
            else:
                at += 1


def _starts_pattern(starts: Collection[str]) -> re.Pattern[str]:
    """Return a pattern of the one or two characters that matches begin with."""
    seconds: dict[str, list[str]] = {}
    for start in starts:
        seconds.setdefault(start[0], []).append(start[1:])
    parts = []
    for first, following in sorted(seconds.items()):
        part = re.escape(first)
        rest = "".join(re.escape(char) for char in sorted(following) if char)
        if rest:
            part += f"[{rest}]{'?' if '' in following else ''}"
        parts.append(part)
    return re.compile("|".join(parts))


class AddedTokens:
    """The added tokens of a tokenizer, in the two groups that are matched at different times."""

    def __init__(self, tokens: Sequence[AddedToken], normalize: Callable[[str], str] | None) -> None:
        """Take the tokens and the normalizer that the normalized ones go through (None: identity)."""
        self.tokens = tokens
        self.by_content = {token.content: token for token in tokens}
        self.by_id = {token.id: token for token in tokens}
        self.special_contents = frozenset(token.content for token in tokens if token.special)
        self.raw = Matcher((token.content, token) for token in tokens if not token.normalized)
        self.normalized = Matcher(
            (normalize(token.content) if normalize else token.content, token) for token in tokens if token.normalized
        )


def split(
    text: str, matcher: Matcher, skip: Callable[[int, int, AddedToken], bool] | None = None
) -> list[tuple[int, int, int | None]]:
    """Cut a text at the tokens of `matcher`.

    Args:
        text: raw or normalized text, as the matcher's set asks.
        matcher: the tokens to look for.
        skip: tells of (start, end, token) that is to stay text.

    Returns:
        (start, end, id) of each part in order, id None for plain text. Parts
        are never empty; they overlap only where tokenizers' do: where an
        `rstrip` token swallows white space that is itself a token.
    """
    parts: list[tuple[int, int, int | None]] = []
    done = 0
    for match_start, match_end, token in matcher.find(text):
        start, end = match_start, match_end
        if skip is not None and skip(start, end, token):
            continue
        if token.single_word and not _is_single_word(text, start, end):
            continue
        if token.lstrip:
            start = max(_blank_start(text, start), done)
        if token.rstrip:
            end = _blank_end(text, end)
        if done < start:
            parts.append((done, start, None))
        if start < end:
            parts.append((start, end, token.id))
            done = end
        # Else an `rstrip` before it swallowed the match whole: tokenizers drops
        # the empty part, or panics ("bad split"); nothing is left to emit.
    if done != len(text):
        parts.append((done, len(text), None))
    return parts


def _blank_start(text: str, end: int) -> int:
    """Return where the white space that ends at `end` starts."""
    while end and text[end - 1] in WHITESPACE:
        end -= 1
    return end


def _blank_end(text: str, start: int) -> int:
    """Return where the white space that starts at `start` ends."""
    size = len(text)
    while start < size and text[start] in WHITESPACE:
        start += 1
    return start


def _is_single_word(text: str, start: int, end: int) -> bool:
    """Tell whether no word character (``\\w`` of Rust's regex crate) touches ``text[start:end]``."""
    from tokenizers_lite._unicode import contains, ranges

    words = ranges("rust:word")
    neighbours = text[start - 1 : start] + text[end : end + 1]
    return not any(contains(words, ord(char)) for char in neighbours)
