"""Decoding steps that look at more than one token: BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse."""

from __future__ import annotations

import codecs

from tokenizers_lite.byte_alphabet import from_alphabet
from tokenizers_lite.decoders._stage import Stage, StreamStage
from tokenizers_lite.decoders._tokens import cleanup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenizers_lite.decoders._stage import Chunk
    from tokenizers_lite.spec import decoders as specs

REPLACEMENT = "\ufffd"
_HEX = "0123456789abcdefABCDEF"
# Every text that ByteFallback reads as a byte. A plus sign counts as a digit
# because Rust's u8::from_str_radix takes one (tokenizers, decoders/byte_fallback.rs).
BYTE_TOKENS: dict[str, int] = {
    f"<0x{high}{low}>": int(low if high == "+" else high + low, 16) for high in "+" + _HEX for low in _HEX
}


class Fuse(Stage):
    """Join all tokens into one."""

    def convert(self, tokens: list[str]) -> list[str]:
        """Return one token."""
        return ["".join(tokens)]

    def stream(self) -> StreamStage:
        """Return the step, which holds nothing back."""
        return _StreamFuse()


class _StreamFuse(StreamStage):
    def push(self, text: str, done: bool) -> Iterable[Chunk]:  # noqa: ARG002
        return ((text, False),)

    def finish(self) -> Iterable[Chunk]:
        return (("", True),)


def token_bytes(token: str) -> bytes:
    """Return the bytes a byte-level token stands for: by the alphabet, or as UTF-8 if any character is not in it."""
    mapped = from_alphabet(token)
    return token.encode() if mapped is None else mapped


class ByteLevel(Stage):
    """Map tokens to bytes and decode them all together."""

    def convert(self, tokens: list[str]) -> list[str]:
        """Return one token."""
        return [b"".join(map(token_bytes, tokens)).decode("utf-8", "replace")]

    def stream(self) -> StreamStage:
        """Return the step holding back at most an incomplete character."""
        return _StreamByteLevel()


class _StreamByteLevel(StreamStage):
    def __init__(self) -> None:
        super().__init__()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def token(self, token: str) -> Iterable[Chunk]:
        return ((self._decoder.decode(token_bytes(token)), False),)

    def finish(self) -> Iterable[Chunk]:
        return ((self._decoder.decode(b"", final=True), True),)


class ByteFallback(Stage):
    """Turn runs of ``<0xNN>`` tokens into text: the run's characters, or one U+FFFD a byte if it is not UTF-8."""

    def convert(self, tokens: list[str]) -> list[str]:
        """Return the tokens with each run of bytes replaced."""
        converted: list[str] = []
        run = bytearray()
        for token in tokens:
            byte = BYTE_TOKENS.get(token)
            if byte is None:
                if run:
                    converted += run_tokens(run)
                    run = bytearray()
                converted.append(token)
            else:
                run.append(byte)
        return converted + run_tokens(run) if run else converted

    def stream(self) -> StreamStage:
        """Return the step holding back a run of bytes while it may still be valid UTF-8."""
        return _StreamByteFallback()


def run_tokens(run: bytes | bytearray) -> list[str]:
    r"""Return what a run of byte tokens becomes.

    >>> run_tokens(b"ab"), run_tokens(b"a\xff")
    (['ab'], ['\ufffd', '\ufffd'])
    """
    try:
        return [run.decode()]
    except UnicodeDecodeError:
        return [REPLACEMENT] * len(run)


class _StreamByteFallback(StreamStage):
    def __init__(self) -> None:
        super().__init__()
        self._run = bytearray()
        self._broken = False  # no later byte can make the run valid; its bytes need not wait
        self._check = codecs.getincrementaldecoder("utf-8")()

    def token(self, token: str) -> Iterable[Chunk]:
        byte = BYTE_TOKENS.get(token)
        if byte is None:
            return (*self._end_run(), (token, True))
        if self._broken:
            return ((REPLACEMENT, True),)
        self._run.append(byte)
        try:
            self._check.decode(bytes((byte,)))
        except UnicodeDecodeError:
            self._broken = True
            held, self._run = len(self._run), bytearray()
            return ((REPLACEMENT, True),) * held
        return ()

    def _end_run(self) -> Iterable[Chunk]:
        run, self._run = self._run, bytearray()
        self._broken = False
        self._check.reset()
        return [(token, True) for token in run_tokens(run)] if run else ()

    def finish(self) -> Iterable[Chunk]:
        return self._end_run()


class CTC(Stage):
    """Collapse repeats, drop the blank token, tidy up."""

    def __init__(self, spec: specs.CTC) -> None:
        self._pad = spec.pad_token
        self._delimiter = spec.word_delimiter_token
        self._cleanup = spec.cleanup

    def convert(self, tokens: list[str]) -> list[str]:
        """Return the tokens that are left."""
        kept = (self.one(b) for a, b in zip([None, *tokens], tokens, strict=False) if a != b)
        return [token for token in kept if token]

    def one(self, token: str) -> str:
        """Return what is left of a token that does not repeat the one before it."""
        token = token.replace(self._pad, "")
        if self._cleanup:
            token = cleanup(token).replace(self._delimiter, " ")
        return token

    def stream(self) -> StreamStage:
        """Return the step with a memory of the token before."""
        return _StreamCTC(self)


class _StreamCTC(StreamStage):
    def __init__(self, stage: CTC) -> None:
        super().__init__()
        self._stage = stage
        self._before: str | None = None

    def token(self, token: str) -> Iterable[Chunk]:
        if token == self._before:
            return ()
        self._before = token
        token = self._stage.one(token)
        return ((token, True),) if token else ()


class BPEDecoder(Stage):
    """Turn the end-of-word suffix into a blank, and into nothing in the last token."""

    def __init__(self, spec: specs.BPEDecoder) -> None:
        self.suffix = spec.suffix

    def convert(self, tokens: list[str]) -> list[str]:
        """Return the tokens without suffixes."""
        return [
            *(token.replace(self.suffix, " ") for token in tokens[:-1]),
            *(token.replace(self.suffix, "") for token in tokens[-1:]),
        ]

    def stream(self) -> StreamStage:
        """Return the step holding back a token from its first suffix on."""
        return _StreamBPE(self.suffix)


class _StreamBPE(StreamStage):
    def __init__(self, suffix: str) -> None:
        super().__init__()
        self._suffix = suffix
        self._held: str | None = None

    def token(self, token: str) -> Iterable[Chunk]:
        before = [] if self._held is None else [(self._held.replace(self._suffix, " "), True)]
        at = token.find(self._suffix)
        if at < 0:
            at = len(token)
        self._held = token[at:]
        return (*before, (token[:at], False))

    def finish(self) -> Iterable[Chunk]:
        return () if self._held is None else ((self._held.replace(self._suffix, ""), True),)
