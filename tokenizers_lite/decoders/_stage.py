"""The two forms of every decoding step: a whole list of tokens, and one token at a time.

A stream carries chunks `(text, done)`: `text` continues the current token and
`done` says that the token ends with it. Steps that join all tokens (Fuse,
ByteLevel) can so pass text on long before their one token is complete.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Chunk = tuple[str, bool]


class Stage:
    """One step of a decoder: tokens -> tokens."""

    def convert(self, tokens: list[str]) -> list[str]:
        """Return what the step makes of all tokens."""
        raise NotImplementedError

    def stream(self) -> StreamStage:
        """Return the same step for tokens that come one at a time."""
        raise NotImplementedError


class StreamStage:
    """A step in the middle of a stream.

    This base collects the chunks of a token and calls `token` when it is whole.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []

    def push(self, text: str, done: bool) -> Iterable[Chunk]:
        """Take a chunk; return the chunks that are certain now."""
        if not done:
            self._parts.append(text)
            return ()
        if self._parts:
            text = "".join((*self._parts, text))
            self._parts = []
        return self.token(text)

    def token(self, token: str) -> Iterable[Chunk]:
        """Take a whole token; return the chunks that are certain now."""
        raise NotImplementedError

    def finish(self) -> Iterable[Chunk]:
        """Return the chunks held back; no more tokens come."""
        return ()


class TokenMap(Stage):
    """A step that changes each token for itself, knowing only whether it is the first.

    `charwise` steps change each character for itself, so they need not wait
    for the end of a token.
    """

    first_differs = False
    charwise = False

    def one(self, token: str, first: bool) -> str:
        """Return what the step makes of one token."""
        raise NotImplementedError

    def convert(self, tokens: list[str]) -> list[str]:
        """Return each token changed."""
        one = self.one
        return [*(one(token, True) for token in tokens[:1]), *(one(token, False) for token in tokens[1:])]

    def stream(self) -> StreamStage:
        """Return the step with a memory of whether the first token has passed."""
        return _StreamMap(self)


class _StreamMap(StreamStage):
    def __init__(self, stage: TokenMap) -> None:
        super().__init__()
        self._stage = stage
        self._first = True

    def push(self, text: str, done: bool) -> Iterable[Chunk]:
        if not self._stage.charwise:
            return super().push(text, done)
        changed = self._stage.one(text, self._first)
        self._first = self._first and not done
        return ((changed, done),)

    def token(self, token: str) -> Iterable[Chunk]:
        changed = self._stage.one(token, self._first)
        self._first = False
        return ((changed, True),)
