"""StreamDecoder: ids one at a time -> text as soon as it is certain."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tokenizers_lite.decoders import Decoder


class StreamDecoder:
    """Decodes a stream of ids.

    The texts returned by `push` and `finish`, joined, equal `decode` of all
    ids. Text is returned as soon as no later id can change it: an incomplete
    character waits for its other bytes and never shows up as U+FFFD in
    between. No sequence of ids raises; ids without a token are passed over, as
    `decode` does.

    >>> stream = tokenizer.stream()
    >>> [stream.push(id) for id in tokenizer.encode("Hi 🫠!")] + [stream.finish()]
    ['Hi', ' ', '', '🫠', '!', '']

    `Tokenizer.stream` makes one. It belongs to one thread.

    Args:
        id_to_token: gives the token of an id, None if there is none.
        decoder: the decoder chain.
        skip: ids to leave out, usually those of special tokens.
    """

    def __init__(
        self, id_to_token: Callable[[int], str | None], decoder: Decoder, skip: Container[int] = frozenset()
    ) -> None:
        self._id_to_token = id_to_token
        self._decoder = decoder
        self._skip = skip
        self._stream = decoder.stream()

    def push(self, id_: int) -> str:
        """Take an id; return the text that is certain now, often empty.

        Args:
            id_: any int; what is no id of the vocabulary adds nothing.
        """
        if id_ in self._skip:
            return ""
        token = self._id_to_token(id_)
        return "" if token is None else self._stream.push(token)

    def finish(self) -> str:
        """Return the text still held back and start over."""
        text = self._stream.finish()
        self._stream = self._decoder.stream()
        return text
