"""MNN's text vocabularies (430 types 0 to 3): bytes <-> records, byte for byte.

    0 SentencePieceVocab   base64(piece) score type
    1 TokenVocab           base64(token), matched greedily
    2 TokenVocab           base64(token), BERT
    3 MergeVocab           tokens in the byte alphabet, then merges

`docs/formats/mnn-text.md` describes the files; `vocab_converters.text_spec`
translates from and to a `Spec`.
"""

from __future__ import annotations

import base64
import binascii

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError
from vocab_converters._header import BERT, HUGGINGFACE, PIPELINE, SENTENCEPIECE, Header, emit_header, parse_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


class SentencePieceVocab(Record):
    """Type 0: pieces with float score and type (1 normal ... 6 byte); the id is the position.

    `missing` is 1 for the stock exporter's Gemma-3 files, which promise one
    piece more than they hold.
    """

    header: Header
    pieces: Sequence[tuple[str, float, int]]
    missing: int = 0


class TokenVocab(Record):
    """Types 1 and 2: the bytes of each token; the id is the position."""

    header: Header
    tokens: Sequence[bytes]


class MergeVocab(Record):
    """Type 3: token texts and merges, both as written; the id is the position."""

    header: Header
    tokens: Sequence[str]
    merges: Sequence[tuple[str, str]]


def parse(data: bytes, file: str = "<bytes>") -> SentencePieceVocab | TokenVocab | MergeVocab:
    """Read a text vocabulary.

    Args:
        data: the whole file.
        file: its name, for messages.

    Raises:
        SpecError: naming the line, for anything the readers would misread:
            too few lines, CRLF, text that is not UTF-8, bad base64.
    """
    header, offset = parse_header(data, file)
    if header.type == PIPELINE:
        raise SpecError("a .mtok file, not a text vocabulary", file=file, field="line 1", value=header.type)
    lines = data[offset:].split(b"\n")
    counts = _counts(lines[0], 2 if header.type == HUGGINGFACE else 1, file)
    if sum(counts) > len(lines) - 1:
        raise SpecError(
            f"{sum(counts)} lines promised, {len(lines) - 1} follow; is the file complete?", file=file, field="line 4"
        )
    if any(lines[sum(counts) + 1 :]):
        raise SpecError("text follows the last line of the vocabulary", file=file, field=f"line {sum(counts) + 5}")
    body = lines[1 : counts[0] + 1]
    if header.type == SENTENCEPIECE:
        missing = int(bool(body) and not body[-1] and len(lines) == len(body) + 1)
        body = body[: len(body) - missing]
        return SentencePieceVocab(header, [_piece(line, file, 5 + i) for i, line in enumerate(body)], missing)
    if header.type == HUGGINGFACE:
        tokens = [_text(line, file, 5 + i) for i, line in enumerate(body)]
        rest = lines[counts[0] + 1 : sum(counts) + 1]
        return MergeVocab(header, tokens, [_merge(line, file, 5 + counts[0] + i) for i, line in enumerate(rest)])
    return TokenVocab(header, [_base64(line, file, 5 + i) for i, line in enumerate(body)])


def emit(vocab: SentencePieceVocab | TokenVocab | MergeVocab) -> bytes:
    """Return the bytes of a text vocabulary; `emit(parse(data)) == data` for files ending in one LF.

    Raises:
        SpecError: for a token that its line cannot hold (an empty one of type
            1, which sends readers into an endless loop; a blank or a line
            feed in type 3).
    """
    out = [emit_header(vocab.header)]
    if isinstance(vocab, SentencePieceVocab):
        out.append(b"%d\n" % (len(vocab.pieces) + vocab.missing))
        out += [_piece_line(index, *piece) for index, piece in enumerate(vocab.pieces)]
    elif isinstance(vocab, MergeVocab):
        out.append(b"%d %d\n" % (len(vocab.tokens), len(vocab.merges)))
        out += [_token_line(index, token) for index, token in enumerate(vocab.tokens)]
        out += [_merge_line(index, *merge) for index, merge in enumerate(vocab.merges)]
    else:
        out.append(b"%d\n" % len(vocab.tokens))
        for index, token in enumerate(vocab.tokens):
            if not token and vocab.header.type != BERT:
                raise SpecError("an empty token sends the readers into an endless loop", field=f"token {index}")
            out.append(base64.b64encode(token) + b"\n")
    return b"".join(out)


def _counts(line: bytes, number: int, file: str) -> list[int]:
    """Parse the fourth line."""
    words = line.split()
    if len(words) != number or not all(word.isdigit() and len(word) < 10 for word in words) or line.endswith(b"\r"):
        raise SpecError(f"line 4 must hold {number} count(s)", file=file, field="line 4", value=line[:40])
    return [int(word) for word in words]


def _base64(line: bytes, file: str, number: int) -> bytes:
    """Decode one base64 field."""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise SpecError(f"not base64 ({error})", file=file, field=f"line {number}", value=line[:40]) from None


def _utf8(data: bytes, file: str, number: int) -> str:
    """Decode UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SpecError("not UTF-8", file=file, field=f"line {number}", value=data[:40]) from None


def _text(line: bytes, file: str, number: int) -> str:
    """Decode one line of UTF-8 that must not end in CR."""
    if line.endswith(b"\r"):
        raise SpecError("the line ends in CRLF; copy the file in binary mode", file=file, field=f"line {number}")
    return _utf8(line, file, number)


def _piece(line: bytes, file: str, number: int) -> tuple[str, float, int]:
    """Parse one line of type 0."""
    words = line.split(b" ")
    try:
        encoded, score, kind = words
        piece = (_utf8(_base64(encoded, file, number), file, number), float(score), int(kind))
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError("expected 'base64 score type'", file=file, field=f"line {number}", value=line[:60]) from None
    if not NORMAL <= piece[2] <= BYTE or line.endswith(b"\r"):
        raise SpecError("piece types are 1 to 6", file=file, field=f"line {number}", value=line[:60])
    return piece


def _merge(line: bytes, file: str, number: int) -> tuple[str, str]:
    """Parse one merge line, cut at its first blank as the readers do."""
    left, blank, right = _text(line, file, number).partition(" ")
    if not blank:
        raise SpecError("a merge needs two tokens", file=file, field=f"line {number}", value=line[:60])
    return left, right


def _piece_line(index: int, piece: str, score: float, kind: int) -> bytes:
    """Format one line of type 0."""
    if not piece:
        raise SpecError("an empty piece shifts the fields of its line in mnn-llm", field=f"piece {index}")
    return b"%s %s %d\n" % (base64.b64encode(piece.encode("utf-8")), repr(score).encode(), kind)


def _token_line(index: int, token: str) -> bytes:
    """Format one token line of type 3."""
    if not token or "\n" in token or token.endswith("\r"):
        raise SpecError("a token of type 3 cannot be empty or hold a line end", field=f"token {index}", value=token)
    return token.encode("utf-8") + b"\n"


def _merge_line(index: int, left: str, right: str) -> bytes:
    """Format one merge line of type 3."""
    if not left or not right or " " in left or "\n" in left + right or right.endswith("\r"):
        raise SpecError(
            "a merge of type 3 cannot hold a blank or a line end", field=f"merge {index}", value=(left, right)
        )
    return f"{left} {right}\n".encode()
