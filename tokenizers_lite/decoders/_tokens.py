"""Decoding steps that change each token for itself: Replace, Strip, Metaspace, WordPiece, none."""

from __future__ import annotations

from tokenizers_lite.decoders._stage import StreamStage, TokenMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers_lite.decoders._stage import Chunk
    from tokenizers_lite.spec import decoders as specs


class Spaced(TokenMap):
    """What stands in for a missing decoder: a blank before each token but the first."""

    first_differs = True

    def one(self, token: str, first: bool) -> str:
        """Return the token with its blank."""
        return token if first else " " + token


class Metaspace(TokenMap):
    """Turn the marker into blanks, and into nothing in the first token if it was prepended."""

    charwise = True

    def __init__(self, spec: specs.Metaspace) -> None:
        self._marker = spec.replacement
        self.first_differs = spec.prepend_scheme != "never"

    def one(self, token: str, first: bool) -> str:
        """Return the token without markers.

        Every marker of the first token goes, not only the prepended one
        (tokenizers, pre_tokenizers/metaspace.rs).
        """
        return token.replace(self._marker, "" if first and self.first_differs else " ")


class WordPiece(TokenMap):
    """Join continuing pieces, put blanks before the others, optionally tidy up each token."""

    first_differs = True

    def __init__(self, spec: specs.WordPiece) -> None:
        self._prefix = spec.prefix
        self._cleanup = spec.cleanup

    def one(self, token: str, first: bool) -> str:
        """Return the token as it continues the text."""
        if not first:
            token = token[len(self._prefix) :] if token.startswith(self._prefix) else " " + token
        return cleanup(token) if self._cleanup else token


# Order matters (tokenizers, decoders/wordpiece.rs, cleanup).
_TIDIED = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" do not", " don't"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def cleanup(token: str) -> str:
    """Take out the blanks that tokenizing put before punctuation and English endings.

    >>> cleanup(" do not ,")
    " don't,"
    """
    for found, put in _TIDIED:
        token = token.replace(found, put)
    return token


class ReplaceText(TokenMap):
    """Replace each occurrence of a string."""

    def __init__(self, found: str, put: str) -> None:
        self._found = found
        self._put = put
        self.charwise = len(found) == 1

    def one(self, token: str, first: bool) -> str:  # noqa: ARG002
        """Return the token with every occurrence replaced; an empty string occurs between all characters."""
        return token.replace(self._found, self._put) if token else token

    def stream(self) -> StreamStage:
        """Return the step holding back only what may become an occurrence."""
        return _StreamReplace(self._found, self._put) if len(self._found) > 1 else super().stream()


class _StreamReplace(StreamStage):
    def __init__(self, found: str, put: str) -> None:
        super().__init__()
        self._found = found
        self._put = put
        self._held = ""

    def push(self, text: str, done: bool) -> Iterable[Chunk]:
        *before, rest = (self._held + text).split(self._found)
        held = 0 if done else self._prefix_at_end(rest)
        self._held = rest[len(rest) - held :]
        return ((self._put.join((*before, rest[: len(rest) - held])), done),)

    def _prefix_at_end(self, text: str) -> int:
        for size in range(min(len(self._found) - 1, len(text)), 0, -1):
            if text.endswith(self._found[:size]):
                return size
        return 0


class ReplacePattern(TokenMap):
    """Replace each match of a regular expression."""

    def __init__(self, pattern: str, put: str) -> None:
        from tokenizers_lite.patterns import SplitPattern

        self._pattern = SplitPattern(pattern)
        self._put = put

    def one(self, token: str, first: bool) -> str:  # noqa: ARG002
        """Return the token with every match replaced; the content is taken literally, `$1` too."""
        parts = self._pattern.split(token)
        return "".join([self._put if is_match else token[start:end] for start, end, is_match in parts])


class Strip(TokenMap):
    """Drop up to `start` leading and `stop` trailing copies of one character."""

    def __init__(self, spec: specs.Strip) -> None:
        self.content = spec.content
        self.start = spec.start
        self.stop = spec.stop

    def one(self, token: str, first: bool) -> str:  # noqa: ARG002
        """Return the stripped token.

        Where `stop` exceeds what is left of a token tokenizers 0.23.3 panics;
        this gives what its later versions give (decoders/strip.rs).
        """
        begin, end = 0, len(token)
        while begin < min(self.start, end) and token[begin] == self.content:
            begin += 1
        last = max(begin, end - self.stop)
        while end > last and token[end - 1] == self.content:
            end -= 1
        return token[begin:end]

    def stream(self) -> StreamStage:
        """Return the step holding back only characters that may be trailing."""
        return _StreamStrip(self)


class _StreamStrip(StreamStage):
    def __init__(self, stage: Strip) -> None:
        super().__init__()
        self._stage = stage
        self._leading = stage.start  # how many may still be dropped
        self._held = 0  # trailing copies held back, at most stage.stop

    def push(self, text: str, done: bool) -> Iterable[Chunk]:
        content, stop = self._stage.content, self._stage.stop
        begin = 0
        while begin < len(text) and self._leading and text[begin] == content:
            begin += 1
            self._leading -= 1
        text = text[begin:]
        if text:
            self._leading = 0
            text = content * self._held + text
            kept = len(text)
            while kept and len(text) - kept < stop and text[kept - 1] == content:
                kept -= 1
            self._held = len(text) - kept
            text = text[:kept]
        if done:
            self._leading = self._stage.start
            self._held = 0
        return ((text, done),)
