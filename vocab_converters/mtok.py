"""MNN's .mtok (430 type 4): bytes <-> Mtok, byte for byte.

The layout is described in docs/formats/mtok.md. Nothing here interprets the
file; `vocab_converters.emulate` does what the C++ readers do with it, and
`vocab_converters.mtok_spec` translates from and to a `Spec`.
"""

from __future__ import annotations

import struct

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError
from vocab_converters._binary import ByteReader, pack_string
from vocab_converters._header import PIPELINE, Header, emit_header, parse_header
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, read_node, write_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class BpeModel(Record):
    """Model tag 0. `vocab` and `merges` stay in file order; the readers search them by bisection."""

    vocab: Sequence[tuple[str, int]]
    merges: Sequence[tuple[int, int, int]]  # left id, right id, rank
    byte_fallback: bool = False  # written by exporters, ignored by the readers
    byte_level: bool = False


class WordPieceModel(Record):
    """Model tag 1."""

    vocab: Sequence[tuple[str, int]]
    unk: str = "[UNK]"
    prefix: str = "##"
    max_chars: int = 100


class UnigramModel(Record):
    """Model tag 2."""

    vocab: Sequence[tuple[str, int, float]]
    unk_id: int = 0
    byte_fallback: bool = False


class MtokToken(Record):
    """One entry of the added-token section."""

    id: int
    content: str
    special: bool = False
    lstrip: bool = False
    rstrip: bool = False


class PostOp(Record):
    """One step of the post-processing program: the text (token None) or a special token."""

    token: int | None = None


class Tail(Record):
    """What may follow the added tokens; None marks the first part that is not in the file.

    `old_post_ids` is the older form of `post_ops`, a plain list of ids to
    append; readers tell the two apart by the number of bytes left.
    """

    template: str | None = None
    eos: str | None = None
    flags: int | None = None
    bos: str | None = None
    post_ops: tuple[PostOp, ...] | None = None
    old_post_ids: tuple[int, ...] | None = None


class Mtok(Record):
    """A whole .mtok file."""

    header: Header
    normalizer: Node
    pre_tokenizer: Node
    model: BpeModel | WordPieceModel | UnigramModel
    decoder: Node
    added: tuple[MtokToken, ...] = ()
    tail: Tail = Tail()


def parse(data: bytes, file: str = "<bytes>") -> Mtok:
    """Read a .mtok file.

    Args:
        data: the whole file.
        file: its name, for messages.

    Raises:
        SpecError: naming line or offset, where the file is truncated, holds
            an unknown tag, text that is not UTF-8 or bytes behind its end.
    """
    header, offset = parse_header(data, file)
    if header.type != PIPELINE:
        raise SpecError("a text vocabulary, not a .mtok file", file=file, field="line 1", value=header.type)
    reader = ByteReader(data, file, offset)
    normalizer = read_node(reader, NORMALIZERS)
    pre_tokenizer = read_node(reader, PRE_TOKENIZERS)
    model = _read_model(reader)
    decoder = read_node(reader, DECODERS)
    added = tuple(_read_added(reader) for _ in range(reader.count("added tokens", 9)))
    tail = _read_tail(reader)
    if reader.remaining:
        raise reader.error(f"{reader.remaining} bytes follow the end of the file's last part")
    return Mtok(header, normalizer, pre_tokenizer, model, decoder, added, tail)


def emit(mtok: Mtok) -> bytes:
    """Return the bytes of a .mtok file; `emit(parse(data)) == data`."""
    out = bytearray(emit_header(mtok.header))
    out += write_node(mtok.normalizer, NORMALIZERS)
    out += write_node(mtok.pre_tokenizer, PRE_TOKENIZERS)
    _write_model(out, mtok.model)
    out += write_node(mtok.decoder, DECODERS)
    out += len(mtok.added).to_bytes(4, "little")
    for token in mtok.added:
        out += struct.pack("<IBBB", token.id, token.special, token.lstrip, token.rstrip)
        out += pack_string(token.content, "an added token")
    _write_tail(out, mtok.tail)
    return bytes(out)


def _read_model(reader: ByteReader) -> BpeModel | WordPieceModel | UnigramModel:
    """Read the model section."""
    start = reader.position
    tag = reader.u8("the model's tag")
    size = reader.count("vocabulary entries", 6)
    if tag == 0:
        byte_fallback, byte_level = reader.u8("byte_fallback"), reader.u8("byte_level")
        merge_count = reader.count("merges", 12)
        vocab = _read_vocab(reader, size)
        raw = reader.take(12 * merge_count, "the merges")
        return BpeModel(vocab, list(struct.iter_unpack("<III", raw)), bool(byte_fallback), bool(byte_level))
    if tag == 1:
        unk, prefix = reader.string("the unknown token"), reader.string("the subword prefix")
        max_chars = reader.u32("max_input_chars_per_word")
        return WordPieceModel(_read_vocab(reader, size), unk, prefix, max_chars)
    if tag == 2:
        unk_id, fallback = reader.u32("the unknown id"), reader.u8("byte_fallback")
        entries = []
        for _ in range(size):
            token = reader.string("a token")
            entries.append((token, _checked_id(reader, size), reader.f64("a score")))
        return UnigramModel(entries, unk_id, bool(fallback))
    raise reader.error(f"unknown model tag {tag}; 0 (BPE), 1 (WordPiece) and 2 (Unigram) are known", start)


def _read_vocab(reader: ByteReader, size: int) -> list[tuple[str, int]]:
    """Read (token, id) pairs; written out because it runs a quarter of a million times."""
    data, position, entries = reader.data, reader.position, []
    try:
        for _ in range(size):
            end = position + 2 + int.from_bytes(data[position : position + 2], "little")
            token = data[position + 2 : end].decode("utf-8")
            number = int.from_bytes(data[end : end + 4], "little")
            if end + 4 > len(data) or number >= size:
                break
            entries.append((token, number))
            position = end + 4
    except UnicodeDecodeError:
        pass
    reader.position = position
    if len(entries) < size:  # read the bad entry again, slowly, for the error that names it
        reader.string("a token")
        _checked_id(reader, size)
        raise reader.error("a vocabulary entry cannot be read")
    return entries


def _checked_id(reader: ByteReader, size: int) -> int:
    """Read a token's id, which the readers use as an unchecked index."""
    start = reader.position
    number = reader.u32("a token's id")
    if number >= size:
        raise reader.error(f"id {number} in a vocabulary of {size}; the C++ readers would write out of bounds", start)
    return number


def _read_added(reader: ByteReader) -> MtokToken:
    """Read one added token."""
    number = reader.u32("an added token's id")
    special, lstrip, rstrip = reader.take(3, "an added token's flags")
    return MtokToken(number, reader.string("an added token"), bool(special), bool(lstrip), bool(rstrip))


def _read_tail(reader: ByteReader) -> Tail:
    """Read the optional parts, each there only while bytes remain."""
    if not reader.remaining:
        return Tail()
    template = reader.text(reader.u32("the template's length"), "the chat template")
    if not reader.remaining:
        return Tail(template)
    eos = reader.string("the eos token")
    if not reader.remaining:
        return Tail(template, eos)
    flags = reader.u8("the flags")
    if not reader.remaining:
        return Tail(template, eos, flags)
    bos = reader.string("the bos token")
    if not reader.remaining:
        return Tail(template, eos, flags, bos)
    count = reader.u16("the number of post operations")
    if reader.remaining == 4 * count:  # how the readers recognise the older form
        ids = tuple(reader.u32("a post id") for _ in range(count))
        if not ids:
            return Tail(template, eos, flags, bos, ())
        return Tail(template, eos, flags, bos, None, ids)
    return Tail(template, eos, flags, bos, tuple(_read_op(reader) for _ in range(count)))


def _read_op(reader: ByteReader) -> PostOp:
    """Read one post operation."""
    start = reader.position
    kind = reader.u8("a post operation")
    if kind > 1:
        raise reader.error(f"unknown post operation {kind}", start)
    return PostOp(reader.u32("a post operation's token") if kind else None)


def _write_model(out: bytearray, model: BpeModel | WordPieceModel | UnigramModel) -> None:
    """Append the model section."""
    size = len(model.vocab)
    if isinstance(model, BpeModel):
        out += struct.pack("<BIBBI", 0, size, model.byte_fallback, model.byte_level, len(model.merges))
        _write_vocab(out, model.vocab)
        for merge in model.merges:
            out += struct.pack("<III", *merge)
    elif isinstance(model, WordPieceModel):
        out += struct.pack("<BI", 1, size) + pack_string(model.unk, "the unknown token")
        out += pack_string(model.prefix, "the subword prefix") + model.max_chars.to_bytes(4, "little")
        _write_vocab(out, model.vocab)
    else:
        out += struct.pack("<BIIB", 2, size, model.unk_id, model.byte_fallback)
        for token, number, score in model.vocab:
            out += pack_string(token, "a token") + struct.pack("<Id", number, score)


def _write_vocab(out: bytearray, vocab: Sequence[tuple[str, int]]) -> None:
    """Append (token, id) pairs."""
    size = len(vocab)
    for token, number in vocab:
        if not 0 <= number < size:
            raise SpecError(f"ids must be below the {size} entries of the vocabulary", value=(token, number))
        out += pack_string(token, "a token") + number.to_bytes(4, "little")


def _write_tail(out: bytearray, tail: Tail) -> None:
    """Append the optional parts, up to the first that is None."""
    if tail.template is None:
        return
    template = tail.template.encode("utf-8")
    out += len(template).to_bytes(4, "little") + template
    if tail.eos is None:
        return
    out += pack_string(tail.eos, "the eos token")
    if tail.flags is None:
        return
    out.append(tail.flags)
    if tail.bos is None:
        return
    out += pack_string(tail.bos, "the bos token")
    if tail.old_post_ids is not None:
        out += struct.pack(f"<H{len(tail.old_post_ids)}I", len(tail.old_post_ids), *tail.old_post_ids)
    elif tail.post_ops is not None:
        out += len(tail.post_ops).to_bytes(2, "little")
        for op in tail.post_ops:
            out += b"\0" if op.token is None else b"\1" + op.token.to_bytes(4, "little")
