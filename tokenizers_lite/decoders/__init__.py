"""Decoders: tokens -> text, all at once or one token at a time.

Semantics of tokenizers 0.23.3 (src/decoders/*.rs). A Sequence is flattened
into its steps; without a decoder tokens are joined by blanks.
"""

from __future__ import annotations

from tokenizers_lite.decoders import _runs, _tokens
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import decoders as specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from tokenizers_lite.decoders._stage import Chunk, Stage
    from tokenizers_lite.decoders.plan import BytePlan

__all__ = ["Decoder", "Stream", "build", "byte_plan"]


class Decoder:
    """A chain of steps from tokens to text. Immutable; `stream` starts a new stream each time."""

    def __init__(self, chain: tuple[Stage, ...]) -> None:
        self._chain = chain

    def decode(self, tokens: Iterable[str]) -> str:
        """Return the text of all tokens."""
        converted = list(tokens)
        for stage in self._chain:
            converted = stage.convert(converted)
        return "".join(converted)

    def decode_bytes(self, tokens: Iterable[str]) -> bytes:
        """Return the bytes of all tokens before what is not UTF-8 becomes U+FFFD.

        A decoder whose text is not its tokens' bytes in a row (CTC, BPEDecoder,
        changes after joining) has no such bytes: the text's own are returned.
        """
        tokens = list(tokens)
        found = self.byte_plan()
        if found is None:
            return self.decode(tokens).encode()
        return found.raw([found.piece(token, first=number == 0) for number, token in enumerate(tokens)])

    def byte_plan(self) -> BytePlan | None:
        """Return how to decode by table lookups, None if this decoder does not allow it."""
        from tokenizers_lite.decoders.plan import plan

        return plan(self._chain)

    def stream(self) -> Stream:
        """Return a stream for tokens that come one at a time."""
        return Stream(self._chain)


class Stream:
    """Text of tokens pushed one at a time; all of it together equals `decode` of all tokens."""

    def __init__(self, chain: tuple[Stage, ...]) -> None:
        self._stages = [stage.stream() for stage in chain]

    def push(self, token: str) -> str:
        """Take a token; return the text that no later token can change."""
        return self._run(((token, True),), 0)

    def finish(self) -> str:
        """Return the text held back; no more tokens come."""
        text = []
        for number, stage in enumerate(self._stages, 1):
            text.append(self._run(stage.finish(), number))
        return "".join(text)

    def _run(self, chunks: Iterable[Chunk], start: int) -> str:
        for stage in self._stages[start:]:
            push = stage.push
            chunks = [after for text, done in chunks for after in push(text, done)]
        return "".join([text for text, _ in chunks])


def build(spec: specs.Decoder | None) -> Decoder:
    """Make the decoder that a spec describes; None joins tokens by blanks.

    Raises:
        SpecError: the component is unknown, or its pattern cannot be expressed.
    """
    return Decoder((_tokens.Spaced(),) if spec is None else tuple(map(_stage, _flat(spec))))


def byte_plan(spec: specs.Decoder | None) -> BytePlan | None:
    """Return how to decode by table lookups, None if the decoder does not allow it.

    Raises:
        SpecError: as `build`.
    """
    return build(spec).byte_plan()


def _flat(spec: specs.Decoder) -> Iterator[specs.Decoder]:
    if isinstance(spec, specs.Sequence):
        for part in spec.decoders:
            yield from _flat(part)
    else:
        yield spec


def _stage(spec: specs.Decoder) -> Stage:
    make = _BUILDERS.get(type(spec))
    if make is None:
        raise SpecError("unknown decoder", field="decoder", value=spec)
    return make(spec)


def _replace(spec: specs.Replace) -> Stage:
    if spec.pattern.regex:
        return _tokens.ReplacePattern(spec.pattern.text, spec.content)
    return _tokens.ReplaceText(spec.pattern.text, spec.content)


def _one_character(make: Callable[[Any], Stage], field: str) -> Callable[[Any], Stage]:
    def checked(spec: specs.Decoder) -> Stage:
        if len(getattr(spec, field)) != 1:
            raise SpecError("must be one character", field=f"decoder.{field}", value=getattr(spec, field))
        return make(spec)

    return checked


_BUILDERS: dict[type, Callable[[Any], Stage]] = {
    specs.BPEDecoder: _runs.BPEDecoder,
    specs.ByteFallback: lambda _: _runs.ByteFallback(),
    specs.ByteLevel: lambda _: _runs.ByteLevel(),
    specs.CTC: _runs.CTC,
    specs.Fuse: lambda _: _runs.Fuse(),
    specs.Metaspace: _one_character(_tokens.Metaspace, "replacement"),
    specs.Replace: _replace,
    specs.Strip: _one_character(_tokens.Strip, "content"),
    specs.WordPiece: _tokens.WordPiece,
}
