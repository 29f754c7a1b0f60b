"""Added tokens: text -> parts, each plain text or the id of a matched token.

Semantics of tokenizers 0.23 (`tokenizer/added_vocabulary.rs`): the leftmost
longest match wins, then `single_word`, `lstrip` and `rstrip` are looked at, so
a match that one of them rejects still hides shorter tokens inside it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Any, Literal

    from tokenizers_lite.spec import AddedToken

    # Texts of special tokens, or all of them.
    Special = Collection[str] | Literal["all"]
    # (start, end, token) of a match -> whether it stays text.
    Skip = Callable[[int, int, AddedToken], bool]

# White_Space of Unicode, which Rust's `\s` and `char::is_whitespace` are.
WHITESPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# Texts longer than this are searched with a compiled pattern.
_LONG = 2000
# Characters of such texts before a pattern of all tokens is worth compiling.
_PATIENCE = 100_000


class Matcher:
    """Finds the tokens of one set in a text, leftmost longest."""

    def __init__(self, tokens: Iterable[tuple[str, AddedToken]]) -> None:
        """Take (text to look for, token) pairs; a repeated text keeps the last token."""
        self.tokens = dict(tokens)
        # A token that normalizes to nothing matches between all characters.
        self._empty = self.tokens.get("")
        lengths: dict[str, set[int]] = {}
        for text in filter(None, self.tokens):
            lengths.setdefault(text[:2], set()).add(len(text))
        singles = {text for text in lengths if len(text) == 1}
        # Candidate lengths by the first two characters, longest first.
        self._lengths = {
            start: sorted(found | ({1} if start[0] in singles else set()), reverse=True)
            for start, found in lengths.items()
        }
        self._firsts = "".join({text[0]: None for text in lengths})
        self._pattern: re.Pattern[str] | None = None
        self._flags = any(token.single_word or token.lstrip or token.rstrip for token in self.tokens.values())
        self._splitter: re.Pattern[str] | None = None
        self._patience = _PATIENCE

    def find(self, text: str) -> Iterator[tuple[int, int, AddedToken]]:
        """Yield (start, end, token) of the matches that do not overlap."""
        if self._empty is not None:
            yield from self._find_everywhere(text, self._empty)
            return
        tokens = self.tokens
        next_start = self._search(text)
        at = 0
        while (start := next_start(at)) >= 0:
            at = start + 1
            lengths = self._lengths
            for length in lengths.get(text[start : start + 2]) or lengths.get(text[start]) or ():
                found = text[start : start + length]
                token = tokens.get(found)
                if token is not None:
                    at = start + len(found)  # `length` may reach past the end
                    yield start, at, token
                    break

    def splitter(self, text: str) -> re.Pattern[str] | None:
        """Return a pattern whose `split` gives plain text and tokens in turn, if that is exact and worth having."""
        if self._splitter is None and not self._flags and self._empty is None and self.tokens:
            self._patience -= len(text)
            if self._patience < 0:
                self._splitter = _whole_pattern(self.tokens)
        return self._splitter

    def _find_everywhere(self, text: str, empty: AddedToken) -> Iterator[tuple[int, int, AddedToken]]:
        """Yield the matches, and `empty` at each place where none begins or has just ended."""
        at, last = 0, -1
        while at <= len(text):
            lengths = self._lengths.get(text[at : at + 2]) or self._lengths.get(text[at : at + 1]) or ()
            size = next((n for n in lengths if text[at : at + n] in self.tokens), 0)
            if size:
                size = len(text[at : at + size])
                yield at, at + size, self.tokens[text[at : at + size]]
                at = last = at + size
                continue
            if at != last:
                yield at, at, empty
            at += 1

    def _search(self, text: str) -> Callable[[int], int]:
        """Return a function from a position to the next place where a token may start, -1 if there is none."""
        firsts = self._firsts
        if not any(first in text for first in firsts) if len(firsts) < 20 else not firsts:
            return lambda _: -1
        if len(firsts) == 1 and len(text) < _LONG:
            # Importing and compiling a pattern takes longer than all else on a short text.
            return lambda at: text.find(firsts, at)
        if self._pattern is None:
            self._pattern = _starts_pattern(self._lengths)
        search = self._pattern.search

        def next_start(at: int) -> int:
            match = search(text, at)
            return -1 if match is None else match.start()

        return next_start


def _starts_pattern(starts: Collection[str]) -> re.Pattern[str]:
    """Return a pattern of the one or two characters that matches begin with."""
    import re

    seconds: dict[str, list[str]] = {}
    for start in starts:
        seconds.setdefault(start[0], []).append(start[1:])
    parts = []
    for first, following in sorted(seconds.items()):
        part = re.escape(first)
        rest = "".join(re.escape(char) for char in sorted(following) if char)
        if rest and "" not in following:
            part += f"[{rest}]"
        parts.append(part)
    return re.compile("|".join(parts))


def _whole_pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that matches the longest of some texts, in a group."""
    import re

    trie: dict[str, Any] = {}
    for text in texts:
        node = trie
        for char in text:
            node = node.setdefault(char, {})
        node[""] = {}
    return re.compile(f"({_trie_source(trie)})")


def _trie_source(node: dict[str, Any]) -> str:
    """Return the source of a pattern for what is below a node, the longest first."""
    import re

    parts = []
    for first, following in node.items():
        if not first:
            continue
        literal, below = first, following
        while len(below) == 1 and "" not in below:
            ((char, below),) = below.items()
            literal += char
        parts.append(re.escape(literal) + _trie_source(below))
    if not parts:
        return ""
    source = parts[0] if len(parts) == 1 and "" not in node else f"(?:{'|'.join(parts)})"
    return source + "?" if "" in node else source


class AddedTokens:
    """The added tokens of a tokenizer, in the two groups that are matched at different times."""

    def __init__(self, tokens: Sequence[AddedToken], normalize: Callable[[str], str] | None) -> None:
        """Take the tokens and the normalizer that the normalized ones go through (None: identity)."""
        self.tokens = tokens
        self.by_content = {token.content: token for token in tokens}
        # What an id turns into: the normalized text of a normalized token. tokenizers 0.23 does
        # so (0.22 gave the content), and then does not recognise it as special when decoding:
        # Llama 2's "<s>" decodes to "<s>" even with skip_special_tokens.
        self.text_of = {
            token.id: normalize(token.content) if normalize and token.normalized else token.content for token in tokens
        }
        self.special_contents = frozenset(token.content for token in tokens if token.special)
        self.raw = Matcher((token.content, token) for token in tokens if not token.normalized)
        self.normalized = Matcher((self.text_of[token.id], token) for token in tokens if token.normalized)

    def refuse(self, text: str, allowed: Special, disallowed: Special) -> None:
        """Check a text for special tokens that the caller does not want there.

        Raises:
            SpecialTokenError: it contains one.
        """
        contents: Collection[str] = self.special_contents if disallowed == "all" else disallowed
        permitted = () if allowed == "all" and disallowed != "all" else allowed
        for content in contents:
            if permitted != "all" and content not in permitted and content in text:
                from tokenizers_lite.errors import SpecialTokenError

                raise SpecialTokenError(
                    f"the text contains the special token {content!r} at character {text.index(content)}. "
                    f"To recognise it, pass allowed_special={{{content!r}}}; to read it as plain text, pass "
                    "allowed_special=() and disallowed_special=(); to accept all, pass disallowed_special=()"
                )


def skipping(allowed: Special) -> Skip | None:
    """Return what keeps special tokens text unless `allowed` names them, None if all are recognised."""
    if allowed == "all":
        return None
    return lambda _start, _end, token: token.special and token.content not in allowed


def split(text: str, matcher: Matcher, skip: Skip | None = None) -> list[tuple[int, int, int | None]]:
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
    found: list[tuple[int, int, int | None]] = []
    done = 0
    # Matches may overlap with what an earlier one swallowed, so `done` is not where the search goes on.
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
            found.append((done, start, None))
            done = start
        if start < end:
            found.append((start, end, token.id))
            done = end
        # Else an `rstrip` before it swallowed the match whole: tokenizers drops
        # the empty part, or panics ("bad split"); nothing is left to emit.
    if done != len(text):
        found.append((done, len(text), None))
    return found


def parts(text: str, matcher: Matcher, skip: Skip | None = None) -> list[str | int]:
    """Cut a text as `split` does; return the plain texts and the ids themselves."""
    splitter = matcher.splitter(text) if skip is None and len(text) >= _LONG else None
    if splitter is None:
        return [text[start:end] if id_ is None else id_ for start, end, id_ in split(text, matcher, skip)]
    found: list[str | int] = splitter.split(text)
    if len(found) == 1:
        return found
    tokens = matcher.tokens
    found[1::2] = [tokens[token].id for token in found[1::2]]  # type: ignore[index]
    return [part for part in found if part != ""]


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
    r"""Tell whether no word character (``\w`` of Rust's regex crate) touches ``text[start:end]``."""
    from tokenizers_lite._unicode import contains, ranges

    words = ranges("rust:word")
    neighbours = text[start - 1 : start] + text[end : end + 1]
    return not any(contains(words, ord(char)) for char in neighbours)
