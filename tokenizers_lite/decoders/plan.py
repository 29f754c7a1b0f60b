"""Decoding by table: where text is the tokens' bytes in a row, look each token's up once.

plan = byte_plan(spec)
table = [plan.piece(token) for token in tokens]    # once a vocabulary
text = plan.text([table[id] for id in ids])
"""

from __future__ import annotations

from itertools import groupby, takewhile

from tokenizers_lite._record import Record
from tokenizers_lite.decoders import _runs, _tokens
from tokenizers_lite.decoders._stage import TokenMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenizers_lite.decoders._stage import Stage


class _Byte(bytes):
    """The piece of a byte token, told by its type from a token whose text is that byte."""

    __slots__ = ()


class _Gap(bytes):
    """The piece of a token that is no byte token but leaves nothing: it still ends a run of bytes."""

    __slots__ = ()


_GAP = _Gap(b"\xff")  # never valid UTF-8, so that `text` takes notice
_BYTES = tuple(_Byte((byte,)) for byte in range(256))


class BytePlan(Record):
    """How to decode by joining bytes.

    Attributes:
        maps: what happens to each token's text before anything else.
        kind: ``byte_level`` (text in the byte alphabet), ``byte_fallback``
            (``<0xNN>`` tokens among text) or ``text``.
        strips: what happens to the joined text in the end.
    """

    maps: tuple[TokenMap, ...]
    kind: str
    strips: tuple[_tokens.Strip, ...]

    @property
    def first_differs(self) -> bool:
        """Whether the first token of a text has a piece of its own (`piece(token, first=True)`)."""
        return any(step.first_differs for step in self.maps)

    @property
    def fallback_runs(self) -> bool:
        """Whether pieces may be bytes of byte tokens, of which an invalid run gives one U+FFFD a byte."""
        return self.kind == "byte_fallback"

    def piece(self, token: str, first: bool = False) -> bytes:
        """Return the bytes that a token contributes, as an object to hand to `text` and `raw`."""
        for step in self.maps:
            token = step.one(token, first)
        if self.kind == "byte_level":
            return _runs.token_bytes(token)
        if self.kind == "byte_fallback":
            byte = _runs.BYTE_TOKENS.get(token)
            return (token.encode() or _GAP) if byte is None else _BYTES[byte]
        return token.encode()

    def text(self, pieces: Sequence[bytes]) -> str:
        """Return the text of the tokens whose pieces these are."""
        return self.text_of(b"".join(pieces), lambda: pieces)

    def text_of(self, joined: bytes, pieces: Callable[[], Iterable[bytes]]) -> str:
        """Do the same for pieces that are joined already; they are asked for only where that is not UTF-8."""
        try:
            text = joined.decode()
        except UnicodeDecodeError:
            text = _with_broken_runs(pieces()) if self.fallback_runs else joined.decode("utf-8", "replace")
        for strip in self.strips:
            text = strip.one(text, True)
        return text

    def raw(self, pieces: Sequence[bytes]) -> bytes:
        """Return the bytes of the text, before what is not UTF-8 is replaced."""
        joined = b"".join([piece for piece in pieces if type(piece) is not _Gap] if self.fallback_runs else pieces)
        for strip in self.strips:
            joined = _strip_bytes(joined, strip)
        return joined


def _with_broken_runs(pieces: Iterable[bytes]) -> str:
    """Decode pieces of which some run of byte tokens is not UTF-8."""
    text = []
    for kind, group in groupby(pieces, type):
        if kind is _Byte:
            text += _runs.run_tokens(b"".join(group))
        elif kind is not _Gap:
            text.append(b"".join(group).decode())
    return "".join(text)


def _strip_bytes(joined: bytes, strip: _tokens.Strip) -> bytes:
    content = strip.content.encode()
    for _ in range(strip.start):
        if not joined.startswith(content):
            break
        joined = joined[len(content) :]
    for _ in range(strip.stop):
        if not joined.endswith(content):
            break
        joined = joined[: -len(content)]
    return joined


def plan(steps: Sequence[Stage]) -> BytePlan | None:
    """Return the plan for the steps of a decoder, None if its text is not its tokens' bytes in a row."""
    maps = [
        stage for stage in takewhile(lambda stage: isinstance(stage, TokenMap), steps) if isinstance(stage, TokenMap)
    ]
    chain = list(steps[len(maps) :])
    kind = "text"
    if chain and isinstance(chain[0], (_runs.ByteLevel, _runs.ByteFallback)):
        kind = "byte_level" if isinstance(chain.pop(0), _runs.ByteLevel) else "byte_fallback"
    if kind == "byte_fallback" and chain and not isinstance(chain[0], _runs.Fuse):
        return None
    strips = _strips(chain)
    return None if strips is None else BytePlan(tuple(maps), kind, strips)


def _strips(chain: list[Stage]) -> tuple[_tokens.Strip, ...] | None:
    """Return the strips among steps on one joined token, None if there is any other step."""
    strips = [stage for stage in chain if isinstance(stage, _tokens.Strip)]
    fuses = [stage for stage in chain if isinstance(stage, _runs.Fuse)]
    return tuple(strips) if len(strips) + len(fuses) == len(chain) else None
