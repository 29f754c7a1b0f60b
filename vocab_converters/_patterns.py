r"""Patterns for the .mtok readers' engine: rewriting, limiting and quoting."""

from __future__ import annotations

import re

# Where a run of letters may be cut. The readers merge in quadratic time, so a
# run of 100,000 letters would keep them busy for minutes.
RUN_LIMIT = 512


def before_blanks(joiners: str = "") -> str:
    r"""Return a pattern whose matches cut a text before every run of blanks that follows something else.

    Used where no token holds ▁ behind another character, so that no merge
    reaches over a cut and the pieces have the ids of the whole. Two places are
    not cut: behind ▁ itself (a symbol, \x07 once folded), which a blank may
    merge with, and before blanks that one of the ASCII characters `joiners`
    follows, for the few tokens that do hold such a ▁. The first form is the
    fast one, the second handles everything.
    """
    if not joiners:
        return r" *[^ \x07]+(?![^ ])| *(?:[^ \x07]+|\x07[ \x07]*)*"
    after = f"[{quote(joiners)}]"
    return rf" *[^ \x07]+(?![^ ]| +{after})| *(?:[^ \x07]+|\x07[ \x07]*| +{after})*"


def limit_runs(pattern: str) -> str:
    r"""Bound runs of letters: ``\p{L}+`` and ``[\p{L}\p{M}]+`` become ``{1,512}``.

    >>> limit_runs(r" ?\p{L}+")
    ' ?\\p{L}{1,512}'
    """
    bound = f"{{1,{RUN_LIMIT}}}"
    return re.sub(r"(\\p\{L\}|\[\\p\{L\}\\p\{M\}\])\+(?!\+)", lambda found: found.group(1) + bound, pattern)


def quote(text: str) -> str:
    r"""Return a pattern for a literal text; every ASCII punctuation mark is escaped.

    >>> quote("a.b")
    'a\\.b'
    """
    return "".join(char if not char.isascii() or char.isalnum() or char == " " else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """Escape one ASCII character for the readers' engine."""
    known = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\f": r"\f", "\v": r"\v"}
    return known.get(char) or (f"\\{char}" if char.isprintable() else f"\\x{ord(char):02x}")


def is_before_blanks(pattern: str) -> bool:
    """Tell whether a pattern comes from `before_blanks`, or is the plain form others use for the same."""
    return pattern == " *[^ ]+| +" or (pattern.startswith(r" *[^ \x07]+(?![^ ]") and pattern.endswith(")*"))
