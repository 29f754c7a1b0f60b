r"""Seams: places where a long text may be cut so that the ids of the parts, in a row, are the ids of the whole.

Encoding goes through four stages, and a place p between the characters a and b
is a seam if none of them can see across it, *whatever* stands further left or
right. Each condition below is checked on the tokenizer at hand; a stage that
is not known to have a safe place makes the tokenizer seamless, and the text
is encoded whole.

1. **Added tokens.** A match across p would hold a and b side by side. If no
   added token does, every match lies on one side. Matching goes from left to
   right, so the matches of the left part are those of the whole up to p, and at p
   it starts afresh. Where tokens strip blanks or ask for whole words, b must not
   be white space and neither may a end nor b begin a token: then no
   token touches p, and blanks are stripped up to b at most. What may be the
   beginning of a token at the end of what is known is not looked at.
2. **Normalizer.** Normalization forms do not join b to what is before it if b is
   a starter that is never the second of a composition: ASCII, CJK ideographs,
   kana and the Russian letters are such. Replacing one character and mapping
   single characters cannot see further. `Prepend` puts its text before each
   stretch between added tokens, so a part that goes on with such a stretch is
   normalized without it.
3. **Pre-tokenizer.** One of:

   * A pattern that cuts from left to right, as an automaton (`_automaton`). After the last place where a match may
     end, the automaton reads on in vain for a bounded number of characters, not counting those of *idle*
     classes (`_boundaries.foresight`). A piece after whose end more are known than that stays
     as it is whatever follows. The automaton looks behind nowhere, so the right part, cut at the start
     of such a piece, is cut on as the whole is. That the left part is cut alike when it ends there
     (`\s+(?!\S)` may not be) is tried: from a piece on that neither end can change, both must give the same
     pieces. Where several patterns cut one after the other, the pieces of the first are boundaries
     of all; a stretch in which the first has no match, as far as that is decided, is a beginning of
     what the second sees, and so on.
   * One that drops white space, or cuts before each blank (Metaspace): b is a blank.
   * None, or one that splits at single characters other than a and b.
4. **Model.** Models see one piece at a time. Without pre-tokenizer the text is one
   piece; then no token of the BPE may hold a and b side by side, so no merge
   crosses (the argument of `pipeline.cutting`, with its conditions).
"""

from __future__ import annotations

from itertools import pairwise

from tokenizers_lite._boundaries import finder
from tokenizers_lite.added import WHITESPACE, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tokenizers_lite._boundaries import Finder
    from tokenizers_lite.added import Matcher, Skip
    from tokenizers_lite.pipeline import Part
    from tokenizers_lite.tokenizer import Tokenizer

# Characters at the end of what is known that are searched for a seam, at first.
_TAIL = 4096
# Starters that are the second of no composition, and decompose to such.
_STARTERS = ((0, 0x7F), (0x410, 0x44F), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FFF))
# Normalizers that see no further than from one such starter to the next.
_LOCAL = ("NFC", "NFD", "NFKC", "NFKD", "StripAccents", "BertNormalizer", "Lowercase", "Nmt", "ByteLevel")


class Seams:
    """Finds seams, and encodes the parts between them.

    Args:
        tokenizer: whose ids are wanted.
        skip: which special tokens stay text, as in `Tokenizer.encode`.
    """

    def __init__(self, tokenizer: Tokenizer, skip: Skip | None = None) -> None:
        self._components = components = tokenizer._components
        self.skip = skip
        self._rest: Callable[[str], str] | None = None
        self._ascii_only = False
        self._find: Finder | None = None
        if components.engine is None and not components.needs_origins and components.frame is not None:
            self._prepare()

    @property
    def possible(self) -> bool:
        """Whether the tokenizer has seams at all; if not, a text has to be encoded whole."""
        return self._find is not None

    def _prepare(self) -> None:
        components = self._components
        parts = list(_flat_normalizer(components.spec.normalizer))
        kinds = {type(part).__name__ for part in parts}
        added = components.added
        if not all(map(_is_local, parts)) or "" in added.raw.tokens or "" in added.normalized.tokens:
            return
        self._ascii_only = "Precompiled" in kinds
        rest = [part for part in parts if type(part).__name__ != "Prepend"]
        if rest:
            from tokenizers_lite.normalizers import Sequence, build

            self._rest = Sequence(list(map(build, rest))).normalize
        # One character in the place of each: then places before and after are the same.
        self._keeps_places = kinds <= {"Prepend", "Replace"} and all(
            len(part.content) == 1 for part in parts if type(part).__name__ == "Replace"
        )
        self._raw, self._normalized = _Touching(added.raw), _Touching(added.normalized)
        self._find = finder(components)

    # ------------------------------------------------------------- finding

    def last(self, text: str, goes_on: bool) -> int:
        """Return the last seam that is found near the end of `text`, 0 if none is.

        Args:
            text: what is known; it starts at a seam or is the beginning.
            goes_on: it starts at a seam.
        """
        if self._find is None or not text:
            return 0
        text = self._raw.settled(text)
        for start, end, id_ in reversed(split(text, self._components.added.raw, self.skip)):
            if id_ is None:
                tail = _TAIL
                while True:
                    begin = max(end - tail, start)
                    found = self._search(text[start:end], begin - start, goes_on and not start)
                    if found or begin == start:
                        break
                    tail *= 16
                if found:
                    return start + found
        return 0

    def _search(self, text: str, begin: int, goes_on: bool) -> int:
        """Search a stretch between added tokens for a seam, from its end back to `begin`."""
        while begin and not self._starts(text, begin):
            begin -= 1
        head = self._normal(text[:begin], goes_on)
        tail = self._normal(text[begin:], goes_on or begin > 0)
        whole = head + tail
        shift = len(whole) - len(text)
        same = self._keeps_places or (not shift and whole == text)
        fits = self._fitting(whole)
        for at in range(len(text) - 1, begin, -1):
            if not self._starts(text, at) or not self._raw.allow(text[at - 1], text[at]):
                continue
            place = at + shift if same else len(head) + len(self._normal(text[begin:at], goes_on or begin > 0))
            if not 0 < place < len(whole):
                continue
            if self._normalized.allow(whole[place - 1], whole[place]) and fits(place):
                return at
        return 0

    def _fitting(self, text: str) -> Callable[[int], bool]:
        """Return what tells the boundaries of pieces behind the last normalized added token of a normalized stretch."""
        assert self._find is not None
        text = self._normalized.settled(text)
        start = end = 0
        for part_start, part_end, id_ in split(text, self._components.added.normalized, self.skip) if text else ():
            start, end = (part_start, part_end) if id_ is None else (part_end, part_end)
        fits = self._find(text[start:end])
        return lambda place: start < place < end and fits(place - start)

    def _starts(self, text: str, at: int) -> bool:
        """Whether normalization cannot see across a place."""
        code = ord(text[at])
        if self._ascii_only:
            return code < 0x80 and text[at - 1].isascii() and text[at - 1] != "\r"
        return any(first <= code <= last for first, last in _STARTERS)

    def _normal(self, text: str, goes_on: bool) -> str:
        normalize = self._rest if goes_on else self._components.normalize
        return normalize(text) if normalize and text else text

    # ------------------------------------------------------------ encoding

    def encode(self, text: str, goes_on: bool) -> list[int]:
        """Return the ids of a part, which starts at a seam if it `goes_on`; without what is put around texts."""
        if not goes_on:
            return self._components.ids(text, self.skip)
        return self._components.pipeline.encode(list(self._parts(text)))

    def _parts(self, text: str) -> Iterator[Part]:
        """Yield what the pipeline takes; the first stretch goes on where the part before ended."""
        added = self._components.added
        for start, end, id_ in split(text, added.raw, self.skip):
            if id_ is not None:
                yield id_
            elif part := self._normal(text[start:end], goes_on=start == 0):
                for inner_start, inner_end, inner_id in split(part, added.normalized, self.skip):
                    yield (part[inner_start:inner_end], False) if inner_id is None else inner_id


class _Touching:
    """What matches of added tokens touch: a place, or the end of what is known."""

    def __init__(self, matcher: Matcher) -> None:
        self._pairs = {pair for text in matcher.tokens for pair in map("".join, pairwise(text))}
        self._looks = any(token.single_word or token.lstrip or token.rstrip for token in matcher.tokens.values())
        self._firsts = {text[0] for text in matcher.tokens}
        self._lasts = {text[-1] for text in matcher.tokens}
        self._strips = any(token.lstrip for token in matcher.tokens.values())
        self._beginnings = {text[:end] for text in matcher.tokens for end in range(1, len(text))}
        self._longest = max(map(len, self._beginnings), default=0)

    def allow(self, left: str, right: str) -> bool:
        """Tell whether a place between two characters is safe."""
        if left + right in self._pairs:
            return False
        return not self._looks or not (right in WHITESPACE or right in self._firsts or left in self._lasts)

    def settled(self, text: str) -> str:
        """Return a beginning of `text` in which the matches are those of any text that begins with `text`."""
        end = len(text)
        for at in range(max(end - self._longest, 0), end):
            if text[at:] in self._beginnings:
                end = at
                break
        return text[:end].rstrip(WHITESPACE) if self._strips else text[:end]


def _flat_normalizer(normalizer: Any) -> Iterator[Any]:
    if normalizer is None:
        return
    if type(normalizer).__name__ == "Sequence":
        for part in normalizer.normalizers:
            yield from _flat_normalizer(part)
    else:
        yield normalizer


def _is_local(normalizer: Any) -> bool:
    kind = type(normalizer).__name__
    if kind == "Replace":
        return not normalizer.pattern.regex and len(normalizer.pattern.text) == 1
    return kind in (*_LOCAL, "Precompiled") or (kind == "Prepend" and bool(normalizer.prepend))
