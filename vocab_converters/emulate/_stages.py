"""The .mtok readers' normalizers, pre-tokenizers and decoders, node by node.

Text is a str whose undecodable bytes are lone surrogates (surrogateescape),
so that one character is one step of the readers' UTF-8 decoder.
"""

from __future__ import annotations

from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, name
from vocab_converters.emulate._base import FROM_ALPHABET, ReaderError, to_alphabet
from vocab_converters.emulate._regex import GPT2, spans
from vocab_converters.emulate._text import scan
from vocab_converters.emulate._unicode15 import (
    CONTROL,
    MARK,
    PUNCTUATION,
    SPACE,
    is_whitespace,
    lower_map,
    unicode_class,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# What the table normalizer turns into a blank before it looks anything up.
BLANKED = {
    *range(1, 0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A),
    0xFEFF, *range(0xFFF0, 0xFFF9),
} - {9, 10, 13}  # fmt: skip
_CJK = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def normalizer(node: Node) -> Callable[[str], str]:
    """Return a normalizer node as a function."""
    kind, fields = name(NORMALIZERS, node), node.fields
    if kind == "prepend":
        return lambda text: fields[0] + text
    if kind == "replace":
        return lambda text: text.replace(fields[0], fields[1]) if fields[0] else text
    if kind == "sequence":
        steps = [normalizer(child) for child in fields[0]]

        def sequence(text: str) -> str:
            for step in steps:
                text = step(text)
            return text

        return sequence
    if kind in ("bert", "bert-nfd"):
        return _bert(node)
    if kind == "table" and fields[0]:
        mapping = _table(fields[0])
        undecodable = mapping.get(0xFFFD)
        if undecodable is not None:
            mapping = {**mapping, **dict.fromkeys(range(0xDC80, 0xDD00), undecodable)}
        mapping = {**mapping, **dict.fromkeys(BLANKED, " ")}
        return lambda text: text.translate(mapping)
    if kind == "strip":
        return lambda text: _strip(text, *fields)
    return lambda text: text


def _table(table: tuple[tuple[int, str], ...]) -> dict[int, str]:
    """Return a character table as a mapping."""
    codes = [code for code, _ in table]
    if codes != sorted(set(codes)):
        raise ReaderError("a character table is not in ascending order; the reader's bisection misses entries")
    return dict(table)


def _strip(text: str, left: int, right: int) -> str:
    """Drop the readers' white space at the ends."""
    start, end = 0, len(text)
    while left and start < end and is_whitespace(ord(text[start])):
        start += 1
    while right and end > start and is_whitespace(ord(text[end - 1])):
        end -= 1
    return text[start:end]


def _bert(node: Node) -> Callable[[str], str]:
    """Return the BERT normalizer: clean, space out CJK, strip accents, then lower-case."""
    clean, chinese, strip, lower = node.fields[:4]
    table = _table(node.fields[4]) if len(node.fields) > 4 else {}

    def character(char: str) -> str:
        code = ord(char)
        kind = unicode_class(code)
        if clean and (code in (9, 10, 13) or kind == SPACE):
            return " "
        if clean and (code in (0, 0xFFFD) or kind == CONTROL or 0xDC80 <= code <= 0xDCFF):
            return ""
        if chinese and any(low <= code <= high for low, high in _CJK):
            return f" {char} "
        if strip and table:
            return "".join(part for part in table.get(code, char) if unicode_class(ord(part)) != MARK)
        return char

    def normalize(text: str) -> str:
        text = "".join(map(character, text))
        if not lower:
            return text
        lowered = text.translate(lower_map())
        # An undecodable byte is written back as U+FFFD here.
        return "".join("�" if "\udc80" <= char <= "\udcff" else char for char in lowered)

    return normalize


def pre_tokenizer(node: Node) -> Callable[[list[str]], list[str]]:
    """Return a pre-tokenizer node as a function from pieces to pieces."""
    kind, fields = name(PRE_TOKENIZERS, node), node.fields
    if kind == "byte-level":
        return lambda pieces: _byte_level(pieces, bool(fields[0]))
    if kind == "digits":
        return lambda pieces: [part for piece in pieces for part in _digits(piece, bool(fields[0]))]
    if kind == "metaspace":
        return lambda pieces: [_metaspace(piece, *fields) for piece in pieces]
    if kind == "split":
        return lambda pieces: [part for piece in pieces for part in _split(piece, *fields)]
    if kind == "bert":
        return lambda pieces: [part for piece in pieces for part in _bert_words(piece)]
    if kind == "sequence":
        steps = [pre_tokenizer(child) for child in fields[0]]

        def sequence(pieces: list[str]) -> list[str]:
            for step in steps:
                pieces = step(pieces)
            return pieces

        return sequence
    return lambda pieces: pieces


def _byte_level(pieces: list[str], split: bool) -> list[str]:
    """Optionally split with GPT-2's pattern, then map bytes to the alphabet."""
    data = [piece.encode("utf-8", "surrogateescape") for piece in pieces]
    if split:
        data = [part for piece in pieces for part in scan(piece, GPT2)]
    return [to_alphabet(piece) for piece in data]


def _digits(piece: str, individual: bool) -> list[str]:
    """Isolate ASCII digits; without `individual` nothing is split."""
    if not individual or not piece:
        return [piece] if piece else []
    parts, start = [], 0
    for index, char in enumerate(piece):
        if "0" <= char <= "9":
            parts += [piece[start:index], char]
            start = index + 1
    return [part for part in [*parts, piece[start:]] if part]


def _metaspace(piece: str, replacement: str, prepend: int) -> str:
    """Replace blanks by the marker; no splitting."""
    if prepend and piece and piece[0] != " ":
        piece = " " + piece
    return piece.replace(" ", replacement)


def _split(piece: str, pattern: str, invert: int, behaviour: int) -> list[str]:
    """Split at a pattern: 0 keeps all parts, 2 joins matches to what precedes, anything else drops matches."""
    segments: list[tuple[str, bool]] = []
    at = 0
    for start, end in spans(piece, pattern):
        if start > at:
            segments.append((piece[at:start], bool(invert)))
        segments.append((piece[start:end], not invert))
        at = end
    if at < len(piece):
        segments.append((piece[at:], bool(invert)))
    if behaviour == 0:
        return [text for text, _ in segments]
    if behaviour == 2:
        merged: list[str] = []
        for text, matched in segments:
            if matched and merged:
                merged[-1] += text
            else:
                merged.append(text)
        return merged
    return [text for text, matched in segments if not matched]


def _bert_words(piece: str) -> list[str]:
    """Drop white space, keep each punctuation character apart."""
    words, current = [], ""
    for char in piece:
        code = ord(char)
        kind = unicode_class(code)
        if is_whitespace(code) or kind == PUNCTUATION or (code < 128 and not char.isalnum() and 33 <= code <= 126):
            words += [current] if current else []
            current = ""
            words += [] if is_whitespace(code) else [char]
        else:
            current += char
    return [*words, current] if current else words


def decoder(node: Node) -> Callable[[list[bytes]], list[bytes]]:
    """Return a decoder node as MNN runs it over a list of tokens."""
    kind, fields = name(DECODERS, node), node.fields
    if kind == "byte-level":
        return lambda tokens: [from_alphabet(token) for token in tokens]
    if kind == "byte-fallback":
        return lambda tokens: [byte_token(token) for token in tokens]
    if kind == "metaspace":
        return lambda tokens: _unmark(tokens, *fields)
    if kind == "wordpiece":
        return lambda tokens: _join_words(tokens, fields[0].encode())
    if kind == "fuse":
        return lambda tokens: [b"".join(tokens)] if len(tokens) > 1 else tokens
    if kind == "replace":
        return lambda tokens: [token.replace(fields[0].encode(), fields[1].encode()) for token in tokens]
    if kind == "strip":
        return lambda tokens: _strip_ends(tokens, fields[0].encode(), fields[1], fields[2])
    steps = [decoder(child) for child in fields[0]]

    def sequence(tokens: list[bytes]) -> list[bytes]:
        for step in steps:
            tokens = step(tokens)
        return tokens

    return sequence


def from_alphabet(token: bytes) -> bytes:
    """Map characters of the byte alphabet back to bytes; others stay."""
    out = bytearray()
    for char in token.decode("utf-8", "surrogateescape"):
        if char in FROM_ALPHABET:
            out.append(FROM_ALPHABET[char])
        else:
            out += char.encode("utf-8", "surrogateescape")
    return bytes(out)


def byte_token(token: bytes) -> bytes:
    """Turn <0xNN> into a byte the way sscanf reads it: one or two hex digits, and nothing is asked of the rest."""
    digits = token[3:5] if token[:3] == b"<0x" else b""
    hexadecimal = b"0123456789abcdefABCDEF"
    size = next((at for at, digit in enumerate(digits) if digit not in hexadecimal), len(digits))
    return bytes([int(digits[:size], 16)]) if size else token


def _unmark(tokens: list[bytes], replacement: str, prefix: int) -> list[bytes]:
    """Metaspace: marker to blank, the first blank dropped."""
    tokens = [token.replace(replacement.encode(), b" ") for token in tokens]
    if prefix and tokens and tokens[0][:1] == b" ":
        tokens[0] = tokens[0][1:]
    return tokens


def _join_words(tokens: list[bytes], prefix: bytes) -> list[bytes]:
    """WordPiece: strip the prefix, or put a blank in front."""
    out = b""
    for index, token in enumerate(tokens):
        if token.startswith(prefix):
            out += token[len(prefix) :]
        else:
            out += (b" " if index else b"") + token
    return [out]


def _strip_ends(tokens: list[bytes], content: bytes, start: int, stop: int) -> list[bytes]:
    """Strip: one copy at the front of the first token, one at the end of the last."""
    tokens = list(tokens)
    if tokens and 0 < start < 2**31 and tokens[0].startswith(content):
        tokens[0] = tokens[0][len(content) :]
    if tokens and 0 < stop < 2**31 and tokens[-1].endswith(content):
        tokens[-1] = tokens[-1][: len(tokens[-1]) - len(content)]
    return tokens
