"""The readers' encoders for text vocabularies, types 0 to 3."""

from __future__ import annotations

import math
import re
import struct

from vocab_converters.emulate._base import (
    ALPHABET,
    FROM_ALPHABET,
    MARKER,
    MNN,
    MNN_LLM,
    NATIVE,
    Emulated,
    ReaderError,
    bounded_cache,
    to_alphabet,
)  # fmt: skip
from vocab_converters.emulate._merge import merge
from vocab_converters.emulate._regex import spans
from vocab_converters.mnn_text import NORMAL, UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vocab_converters.mnn_text import MergeVocab, SentencePieceVocab, TokenVocab

# One character by its lead byte alone, cut off at the end of the text.
_BY_LEAD_BYTE = re.compile(rb"[\x00-\xbf]|[\xc0-\xdf].?|[\xe0-\xef].{0,2}|[\xf0-\xff].{0,3}", re.DOTALL)

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_MNN_BYTES = re.compile(
    rb"('[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]"
    rb"| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_OLD_BYTES = re.compile(rb"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\s\w]+|\s+")


class EmulatedSentencePiece(Emulated):
    """Type 0: merging by score, always with byte fallback, whatever the model was."""

    def __init__(self, vocab: SentencePieceVocab, reader: str) -> None:
        super().__init__(reader, vocab.header)
        self.pieces = [piece.encode("utf-8") for piece, _, _ in vocab.pieces] + [b""] * vocab.missing
        self.targets: dict[bytes, float] = {}
        self.reserved: dict[bytes, int] = {}
        self.normal: dict[bytes, int] = {}
        self.unknown = 0
        for number, (piece, (_, score, kind)) in enumerate(zip(self.pieces, vocab.pieces, strict=False)):
            if kind == NORMAL:
                self.normal.setdefault(piece, number)
                self.targets.setdefault(piece, -_float32(score))
            else:
                self.reserved.setdefault(piece, number)
                if kind == UNKNOWN:
                    self.unknown = number
        self._cache_specials()

    def _lookup(self, left: bytes, right: bytes) -> tuple[float, bytes] | None:
        both = left + right
        rank = self.targets.get(both)
        return None if rank is None else (rank, both)

    def _piece_id(self, piece: bytes) -> int:
        return self.reserved.get(piece, self.normal.get(piece, self.unknown))

    def encode_segment(self, data: bytes) -> list[int]:
        if self.reader != MNN_LLM:
            data = MARKER.encode() + data.replace(b" ", MARKER.encode())
        ids: list[int] = []
        for piece in merge(_BY_LEAD_BYTE.findall(data), self._lookup):
            number = self._piece_id(piece)
            if number != self.unknown:
                ids.append(number)
            else:
                ids += [self._piece_id(b"<0x%02X>" % byte) for byte in piece]
        return ids

    def decode_id(self, number: int) -> bytes:
        if not 0 <= number < len(self.pieces):
            if self.reader == MNN_LLM:
                raise ReaderError(f"id {number} is outside the vocabulary; mnn-llm reads out of bounds")
            return b""
        piece = self.pieces[number]
        at = piece.find(MARKER.encode())
        if at < 0:
            return piece
        dropped = 3 if self.reader == NATIVE else at + 3  # the others pass an end where a length is meant
        return piece[:at] + b" " + piece[at + dropped :]


class EmulatedTiktoken(Emulated):
    """Type 1: greedy longest match over bytes."""

    def __init__(self, vocab: TokenVocab, reader: str) -> None:
        super().__init__(reader, vocab.header)
        self.tokens = list(vocab.tokens)
        self.ids: dict[bytes, int] = {}
        self.prefixes: set[bytes] = set()
        for number, token in enumerate(self.tokens):
            if reader == MNN_LLM:
                self.ids[token] = number
            else:
                self.ids.setdefault(token, number)
            self.prefixes.update(token[:size] for size in range(1, len(token) + 1))
        if b"" in self.ids and reader != MNN_LLM:
            raise ReaderError("an empty token sends the reader into an endless loop")
        self._cache_specials()

    def encode_segment(self, data: bytes) -> list[int]:
        ids: list[int] = []
        at, size = 0, len(data)
        prefixes, known = self.prefixes, self.ids
        while at < size:
            end, best, found = at + 1, -1, at + 1
            while end <= size and (prefix := data[at:end]) in prefixes:
                number = known.get(prefix)
                if number is not None:
                    best, found = number, end
                end += 1
            if end > size and self.reader == MNN and data[at:] + b"\0" in known:
                raise ReaderError("the trie reads past the end of the text: a token continues with NUL")
            if best >= 0:
                ids.append(best)
            elif self.reader == MNN_LLM:
                break  # it prints an error and drops the rest
            at = found
        return ids

    def decode_id(self, number: int) -> bytes:
        return self.tokens[number] if 0 <= number < len(self.tokens) else b""


class EmulatedBert(Emulated):
    """Type 2: ASCII words and single characters, then WordPiece."""

    def __init__(self, vocab: TokenVocab, reader: str) -> None:
        super().__init__(reader, vocab.header)
        self.tokens = list(vocab.tokens)
        self.ids: dict[bytes, int] = {}
        for number, token in enumerate(self.tokens):
            self.ids.setdefault(token, number)
        unknown = self.ids.get(b"[UNK]")
        self.unknown = {MNN_LLM: 100, NATIVE: unknown, MNN: 100 if unknown is None else unknown}[reader]
        self._cache_specials()

    def encode_segment(self, data: bytes) -> list[int]:
        ids: list[int] = []
        for word in self._words(data):
            ids += self._word_piece(word)
        return ids

    def _words(self, data: bytes) -> list[bytes]:
        words: list[bytes] = []
        at = 0
        while at < len(data):
            byte = data[at]
            if byte >= 0x80:
                size = self._size(byte)
                if size and (self.reader == MNN_LLM or at + size <= len(data)):
                    words.append(data[at : at + size])
                at += size if size and (self.reader == MNN_LLM or at + size <= len(data)) else 1
                continue
            end = at + 1
            if _is_alnum(byte):
                while end < len(data) and _is_alnum(data[end]):
                    end += 1
                words.append(data[at:end].lower())
            elif byte not in b" \t\n\v\f\r":
                words.append(data[at:end])
            at = end
        return words

    def _size(self, lead: int) -> int:
        """Return the bytes taken for a character by its lead byte, 0 where the byte is dropped."""
        if self.reader == MNN_LLM:
            return 3 if lead >= 0xE0 else 0
        if lead & 0xE0 == 0xC0:
            return 2
        if lead & 0xF0 == 0xE0:
            return 3
        return 4 if lead & 0xF8 == 0xF0 else 1

    def _word_piece(self, word: bytes) -> list[int]:
        if word in self.ids:
            return [self.ids[word]]
        ids: list[int] = []
        while word:
            for size in range(len(word), 0, -1):
                number = self.ids.get((b"##" if ids else b"") + word[:size])
                if number is not None:
                    ids.append(number)
                    word = word[size:]
                    break
            else:
                return ids if self.unknown is None else [*ids, self.unknown]
        return ids

    def decode_id(self, number: int) -> bytes:
        return self.tokens[number] if 0 <= number < len(self.tokens) else b""


class EmulatedHuggingFace(Emulated):
    """Type 3: a pre-tokenizer built into the reader, then byte-level BPE."""

    def __init__(self, vocab: MergeVocab, reader: str) -> None:
        super().__init__(reader, vocab.header)
        self.tokens = list(vocab.tokens)
        self.ids: dict[str, int] = {}
        for number, token in enumerate(self.tokens):
            self.ids.setdefault(token, number)
        self.ranks: dict[tuple[str, str], int] = {}
        for rank, pair in enumerate(vocab.merges):
            self.ranks.setdefault(pair, rank)
        self._encode_piece = bounded_cache(self._encode_piece_uncached)
        self._cache_specials()

    def _lookup(self, left: str, right: str) -> tuple[int, str] | None:
        rank = self.ranks.get((left, right))
        return None if rank is None else (rank, left + right)

    def _pieces(self, data: bytes) -> list[bytes]:
        if self.reader == NATIVE:
            return scan(data.decode("utf-8", "surrogateescape"), QWEN)
        matches = (_OLD_BYTES if self.reader == MNN_LLM else _MNN_BYTES).finditer(data)
        return [match.group() for match in matches]  # what lies between matches is lost

    def encode_segment(self, data: bytes) -> list[int]:
        ids: list[int] = []
        for piece in self._pieces(data):
            ids += self._encode_piece(to_alphabet(piece))
        return ids

    def _encode_piece_uncached(self, piece: str) -> list[int]:
        ids: list[int] = []
        for token in merge(list(piece), self._lookup):
            number = self.ids.get(token)
            if number is not None:
                ids.append(number)
            elif self.reader == NATIVE:
                ids += [self.ids[char] for char in token if char in self.ids]
            else:
                raise ReaderError(f"{token!r} results from merges but is not in the vocabulary; the reader throws")
        return ids

    def decode_id(self, number: int) -> bytes:
        if not 0 <= number < len(self.tokens):
            return b""
        return bytes(FROM_ALPHABET[char] for char in self.tokens[number] if char in FROM_ALPHABET)


def scan(text: str, pattern: str) -> list[bytes]:
    """Split text into matches and, one by one, the characters between them."""
    found: list[bytes] = []
    at = 0
    for start, end in [*spans(text, pattern), (len(text), len(text))]:
        found += [char.encode("utf-8", "surrogateescape") for char in text[at:start]]
        if end > start:
            found.append(text[start:end].encode("utf-8", "surrogateescape"))
        at = end
    return found


def _float32(value: float) -> float:
    """Round to single precision; a number too large for it becomes infinite."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def _is_alnum(byte: int) -> bool:
    """C's isalnum in the C locale."""
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


__all__ = ["ALPHABET", "EmulatedBert", "EmulatedHuggingFace", "EmulatedSentencePiece", "EmulatedTiktoken", "scan"]
