"""Text -> what a sentencepiece model segments: character map, blanks, dummy prefix.

Semantics are those of sentencepiece 0.2.3 (normalizer.cc). Its input is valid
UTF-8 here, so the rules for malformed bytes never apply.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers_lite.normalizers.charsmap import CharsMap

MARKER = "▁"
_MAX_MATCHES = 64  # kResultSize of PrefixMatcher::PrefixMatch
_BLANKS = re.compile(" {2,}")


class Matcher:
    """The longest of a set of strings at a place: sentencepiece's PrefixMatcher.

    It looks at 64 matches, shortest first, so strings with 64 prefixes in the
    set are never found.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._by_first: dict[str, list[str]] = {}
        known = set(strings)
        for string in sorted(known, key=len, reverse=True):
            if len(string) <= _MAX_MATCHES or sum(string[:n] in known for n in range(1, len(string))) < _MAX_MATCHES:
                self._by_first.setdefault(string[0], []).append(string)
        firsts = "".join(map(re.escape, self._by_first))
        self.first = re.compile(f"[{firsts}]" if firsts else "(?!)")
        self.empty = not known
        self.two_blanks = any("  " in string for string in known)

    def at(self, text: str, position: int) -> str | None:
        """Return the longest string that is at `position`."""
        for string in self._by_first.get(text[position], ()):
            if text.startswith(string, position):
                return string
        return None

    def split(self, text: str) -> Iterator[tuple[str, bool]]:
        """Cut `text` into parts without a match (False) and matches (True), from the left."""
        done = 0
        for found in self.first.finditer(text):
            start = found.start()
            string = self.at(text, start) if start >= done else None
            if string is not None:
                if start > done:
                    yield text[done:start], False
                yield string, True
                done = start + len(string)
        if done < len(text):
            yield text[done:], False


class Normalizer:
    """One NormalizerSpec at work.

    Args:
        charsmap: the character map, or None.
        matcher: strings left alone by the character map (user-defined pieces).
        dummy_prefix: put a blank before the text ...
        as_suffix: ... or rather after it.
        squeeze: drop leading, trailing and repeated blanks (remove_extra_whitespaces).
        escape: write blanks as ``▁``.
    """

    def __init__(
        self,
        charsmap: CharsMap | None,
        matcher: Matcher,
        *,
        dummy_prefix: bool,
        as_suffix: bool,
        squeeze: bool,
        escape: bool,
    ) -> None:
        self.charsmap = charsmap
        self.matcher = matcher
        self.squeeze = squeeze
        self.blank = MARKER if escape else " "
        self.before = self.blank if dummy_prefix and not as_suffix else ""
        self.after = self.blank if dummy_prefix and as_suffix else ""
        self._scanners: dict[bool, re.Pattern[str]] = {}
        self._two_blanks = matcher.two_blanks or bool(charsmap and b"  " in charsmap.block)

    def normalize(self, text: str) -> str:
        """Return the normalized text.

        Equal to `align(text)[0]`, without the bookkeeping. Blanks are squeezed
        between the replacements there, so doubled ones inside a replacement or
        a match stay; the short way is taken when there are none.
        """
        if not text:
            return ""
        if not self.squeeze:
            mapped = "".join([part for part, _, _ in self._map(text)]) if self.charsmap else text
        elif self._two_blanks or (self.after and self.charsmap):
            return self.align(text)[0]
        else:
            mapped = "".join([part for part, _, _ in self._map(text)]) if self.charsmap else text
            mapped = mapped.strip(" ")
            if self.after and not mapped:
                return ""
            if "  " in mapped:
                mapped = _BLANKS.sub(" ", mapped)
        if self.blank != " ":
            mapped = mapped.replace(" ", MARKER)
        mapped = self.before + mapped
        if self.squeeze:
            mapped = mapped.rstrip(self.blank)
        return mapped + self.after

    def align(self, text: str) -> tuple[str, list[int]]:
        """Return the normalized text, and for each of its characters and its end where in `text` it comes from."""
        consumed, start = 0, 0
        parts = [
            segment
            for part, size, whole in self._map(text)
            for segment in ([(part, size)] if whole else [(char, 1) for char in part])
        ]
        if self.squeeze:
            while start < len(parts) and parts[start][0] == " ":
                consumed += parts[start][1]
                start += 1
        if start == len(parts):
            return "", [consumed]
        chars: list[str] = list(self.before)
        origins = [consumed] * len(chars)
        after_blank = self.squeeze
        for part, size in parts[start:]:
            kept = part.lstrip(" ") if after_blank else part
            if kept:
                chars += kept.replace(" ", self.blank)
                origins += [consumed] * len(kept)
                after_blank = self.squeeze and kept.endswith(" ")
            consumed += size
        while self.squeeze and chars and chars[-1] == self.blank:
            chars.pop()
            consumed = origins.pop()
        chars += self.after
        origins += [consumed] * (len(self.after) + 1)
        return "".join(chars), origins

    def _map(self, text: str) -> Iterator[tuple[str, int, bool]]:
        """Cut `text` the way sentencepiece consumes it: (text, size of what it stands for, consumed at once).

        At each place a string of the matcher goes before the rules of the
        map; runs where neither applies are one part here.
        """
        done = 0
        for found in self._scanner(text).finditer(text):
            start = found.start()
            if start < done:
                continue
            string = self.matcher.at(text, start)
            rule = (start + len(string), string) if string else self.charsmap and self.charsmap.longest(text, start)
            if rule:
                if start > done:
                    yield text[done:start], start - done, False
                yield rule[1], rule[0] - start, True
                done = rule[0]
        if done < len(text):
            yield text[done:], len(text) - done, False

    def _scanner(self, text: str) -> re.Pattern[str]:
        """Return a pattern for every place of `text` where something may apply."""
        if self.charsmap is None:
            return self.matcher.first
        is_ascii = text.isascii()
        if is_ascii not in self._scanners:
            rules = self.charsmap.scanner(text).pattern
            self._scanners[is_ascii] = re.compile(f"{self.matcher.first.pattern}|{rules}")
        return self._scanners[is_ascii]
