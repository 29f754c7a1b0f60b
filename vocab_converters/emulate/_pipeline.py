"""The readers' encoder and decoder for .mtok files (type 4)."""

from __future__ import annotations

import re

from vocab_converters._nodes import DECODERS, Node, name
from vocab_converters.emulate._base import MARKER, MNN, MNN_LLM, Emulated, ReaderError
from vocab_converters.emulate._models import Unigram, WordPiece, model
from vocab_converters.emulate._stages import decoder, from_alphabet, normalizer, pre_tokenizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from vocab_converters.mtok import Mtok

_ASCII_BLANKS = b" \t\n\v\f\r"
# sscanf reads one or two digits; six bytes are taken whatever follows them.
_PIECE_MARKS = re.compile(b"\xe2\x96\x81|<0x(?:([0-9a-fA-F]{2}).|([0-9a-fA-F])..)", re.DOTALL)


class EmulatedPipeline(Emulated):
    """A .mtok file as native-llm or mnn runs it."""

    def __init__(self, mtok: Mtok, reader: str) -> None:
        super().__init__(reader, mtok.header)
        if reader == MNN_LLM:
            raise ReaderError("mnn-llm does not know type 4; it returns no tokenizer")
        self.mtok = mtok
        self.normalize = normalizer(mtok.normalizer)
        self.pre_tokenize = pre_tokenizer(mtok.pre_tokenizer)
        self.model = model(mtok.model)
        self.decode_tokens = decoder(mtok.decoder)
        self.byte_level = _holds(mtok.decoder, "byte-level")
        prefixes = _prefixes(mtok.decoder)
        self.word_prefix = prefixes[-1].encode() if prefixes else None
        self.added_ids: dict[bytes, int] = {}
        for token in mtok.added:
            self.added_ids.setdefault(token.content.encode(), token.id)
        # Earliest first, longest on a tie; of equal contents the first entry's flags count.
        self.added_flags = {token.content.encode(): (token.lstrip, token.rstrip) for token in reversed(mtok.added)}
        contents = sorted((text for text in self.added_ids if text), key=len, reverse=True)
        self.added = re.compile(b"|".join(map(re.escape, contents))) if contents else None
        self._cache_specials()

    def encode(self, text: str | bytes) -> list[int]:
        ids = super().encode(text)
        tail = self.mtok.tail
        if self.reader != MNN:
            return ids
        if tail.old_post_ids:
            return [*ids, *(number for number in tail.old_post_ids if number < 2**31)]
        if not tail.post_ops:
            return ids
        out: list[int] = []
        for op in tail.post_ops:
            out += ids if op.token is None else [op.token] if op.token < 2**31 else []
        return out

    def encode_segment(self, data: bytes) -> list[int]:
        ids: list[int] = []
        last = 0
        while last < len(data):
            match = self.added.search(data, last) if self.added else None
            if match is None:
                return ids + self._encode_text(data[last:])
            lstrip, rstrip = self.added_flags[match.group()]
            start, following = match.span()
            while lstrip and start > last and data[start - 1] in _ASCII_BLANKS:
                start -= 1
            while rstrip and following < len(data) and data[following] in _ASCII_BLANKS:
                following += 1
            if start > last:
                ids += self._encode_text(data[last:start])
            ids.append(self.added_ids[match.group()])
            last = following
        return ids

    def _encode_text(self, data: bytes) -> list[int]:
        text = self.normalize(data.decode("utf-8", "surrogateescape"))
        if not text.isascii():  # a normalizer may have joined bytes into characters
            text = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        ids: list[int] = []
        for piece in self.pre_tokenize([text]) if text else []:
            if piece:
                ids += self.model.tokenize(piece)
        return ids

    def token(self, number: int) -> bytes:
        """Return an id's token as stored; unknown ids give nothing, or the unknown token of two models."""
        text = self.model.vocab.text(number)
        if text is None and isinstance(self.model, WordPiece):
            text = self.model.model.unk
        elif text is None and isinstance(self.model, Unigram):
            text = self.model.vocab.text(self.model.unknown)
        return (text or "").encode("utf-8")

    def decode_id(self, number: int) -> bytes:
        data = _PIECE_MARKS.sub(_piece_mark, self.token(number))
        if self.word_prefix is not None:
            if self.word_prefix and data.startswith(self.word_prefix):
                return data[len(self.word_prefix) :]
            return b" " + data
        return from_alphabet(data) if self.byte_level else data

    def decode(self, ids: Iterable[int]) -> bytes:
        if self.reader != MNN:
            return super().decode(ids)
        special = set(self.header.special)
        out = b"".join(self.decode_tokens([self.token(number) for number in ids if number not in special]))
        if self.word_prefix is not None:
            for mark in (b".", b"?", b"!", b","):
                out = out.replace(b" " + mark, mark)
        if (self.mtok.tail.flags or 0) & 1:
            out = out.replace(b" ' ", b"'")
            for ending in (b"n't", b"'m", b"'s", b"'ve", b"'re"):
                out = out.replace(b" " + ending, ending)
        return out


def _piece_mark(match: re.Match[bytes]) -> bytes:
    """Turn the marker into a blank and <0xNN> into a byte."""
    digits = match.group(1) or match.group(2)
    return b" " if digits is None else bytes([int(digits, 16)])


def _holds(node: Node, wanted: str) -> bool:
    """Tell whether a decoder tree holds a component."""
    if name(DECODERS, node) == "sequence":
        return any(_holds(child, wanted) for child in node.fields[0])
    return name(DECODERS, node) == wanted


def _prefixes(node: Node) -> list[str]:
    """Return the prefixes of all WordPiece decoders in a tree."""
    if name(DECODERS, node) == "sequence":
        return [prefix for child in node.fields[0] for prefix in _prefixes(child)]
    return [node.fields[0]] if name(DECODERS, node) == "wordpiece" else []


__all__ = ["MARKER", "EmulatedPipeline"]
