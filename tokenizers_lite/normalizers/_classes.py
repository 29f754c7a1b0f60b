"""Quick work on whole classes of characters, by pinned tables."""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite.patterns import ASCII, BMP, is_bmp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from tokenizers_lite.normalized import NormalizedString

# Patterns of one class that are kept.
MOST_PATTERNS = 64


class CharClass:
    """A class of characters as a stdlib pattern, compiled at first need.

    Patterns take ten to a hundred times as long with classes beyond U+FFFF, so
    of those characters a pattern knows only the ones that its text holds.

    Args:
        table: name of the table (see `_unicode`).
        form: the pattern around the class, which stands where `%s` is.
    """

    def __init__(self, table: str, form: str = "%s+") -> None:
        self.ranges = _unicode.ranges(table)
        self.form = form
        self._compiled: dict[tuple[str, int], re.Pattern[str]] = {}

    def regex(self, text: str) -> re.Pattern[str]:
        """Return the compiled pattern to use on `text`."""
        if text.isascii():
            return self._pattern("", ASCII)
        if is_bmp(text):
            return self._pattern("", BMP)
        beyond = sorted(char for char in set(text) if char > "\uffff" and char in self)
        return self._pattern("".join(beyond), _unicode.MAX)

    def _pattern(self, key: str, limit: int) -> re.Pattern[str]:
        """Return the pattern for texts up to a limit; `key` holds the characters beyond U+FFFF that it has to know."""
        found = self._compiled.get((key, limit))
        if found is None:
            import re

            if len(self._compiled) >= MOST_PATTERNS:
                self._compiled.clear()
            class_ = _unicode.intersection(self.ranges, ((0, BMP),))
            class_ = _unicode.union(class_, ((ord(char), ord(char)) for char in key))
            found = self._compiled[key, limit] = re.compile(self.form % _unicode.class_text(class_, limit))
        return found

    def replaced(self, text: str, by: str) -> str:
        """Return the text with every match replaced; `by` may be a template."""
        return self.regex(text).sub(by, text)

    def __contains__(self, char: str) -> bool:
        return _unicode.contains(self.ranges, ord(char))

    def lacks(self, char: str) -> bool:
        """Tell whether a character is not in the class."""
        return char not in self


class Lower:
    """Rust's lower case: character by character, no final sigma, one pinned Unicode version."""

    def __init__(self) -> None:
        self._map: dict[int, str] = {}
        self._different: re.Pattern[str] | None = None

    def lower(self, text: str) -> str:
        """Return the text in lower case."""
        if text.isascii():
            return text.lower()
        if not self._map:
            self._prepare()
        if self._different is not None and not self._different.search(text):
            return text.lower()
        return text.translate(self._map)

    def _prepare(self) -> None:
        """Find where `str.lower` would differ; only a Python older than the table can be known to have no more."""
        import re
        from unicodedata import unidata_version

        self._map = _unicode.lower_map()
        if tuple(map(int, unidata_version.split("."))) <= (16, 0, 0):
            different = [code for code, lower in self._map.items() if chr(code).lower() != lower]
            different.append(ord("Σ"))  # str.lower looks at its neighbours
            self._different = re.compile(_unicode.class_text(_unicode.union((code, code) for code in different)))

    def align(self, text: NormalizedString) -> NormalizedString:
        """Do the same; what one character becomes shares its range."""
        lowered = self.lower(text.text)
        if len(lowered) == len(text.text):
            return text.map(lowered)
        return text.transform((new, int(at > 0)) for char in text.text for at, new in enumerate(self.lower(char)))
