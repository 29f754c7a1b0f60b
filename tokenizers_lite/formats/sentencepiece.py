"""Read a sentencepiece model file (`tokenizer.model`, `spiece.model`): a serialized ModelProto.

The protobuf wire format is read here directly; what is taken from it is what
changes ids or text. Whatever sentencepiece 0.2.3 refuses to load
(model_interface.cc InitializePieces, normalizer.cc DecodePrecompiledCharsMap)
is refused with a `SpecError`.
"""

from __future__ import annotations

from struct import unpack, unpack_from

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Config, Source, SourceFile, Spec
from tokenizers_lite.spec.models import SentencePiece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    # Field number -> (name, wire type, default) of the messages below.
    Fields = dict[int, tuple[str, int, Any]]

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_MAX_PIECE_BYTES = 8000  # kMaxPieceSize
_MAX_GROUP_DEPTH = 100

_TRAINER: Fields = {
    3: ("model_type", _VARINT, 1),
    24: ("treat_whitespace_as_suffix", _VARINT, 0),
    35: ("byte_fallback", _VARINT, 0),
    44: ("unk_surface", _BYTES, " ⁇ ".encode()),
    45: ("unk_piece", _BYTES, b"<unk>"),
    46: ("bos_piece", _BYTES, b"<s>"),
    47: ("eos_piece", _BYTES, b"</s>"),
    48: ("pad_piece", _BYTES, b"<pad>"),
}
_NORMALIZER: Fields = {
    2: ("precompiled_charsmap", _BYTES, b""),
    3: ("add_dummy_prefix", _VARINT, 1),
    4: ("remove_extra_whitespaces", _VARINT, 1),
    5: ("escape_whitespaces", _VARINT, 1),
}


def read(path: str) -> Spec:
    """Read the model file at `path`.

    `Config.add_bos` stays False: SentencePieceProcessor.encode adds nothing
    unless asked, and what a tokenizer_config.json beside the file wants is for
    whoever reads the folder.

    Raises:
        SpecError: the file is not a ModelProto, or sentencepiece would not load it.
        OSError: the file cannot be read.
    """
    from hashlib import sha256
    from os.path import basename

    with open(path, "rb") as file:
        data = file.read()
    source = SourceFile(basename(path), len(data), sha256(data).hexdigest())
    return parse(data, file=path).replace(source=Source("sentencepiece", (source,)))


def parse(data: bytes, *, file: str | None = None) -> Spec:
    """Turn the bytes of a ModelProto into a spec; `file` is named in errors."""
    reader = _Reader(data, file)
    pieces, position = _leading_pieces(reader)
    trainer = {name: default for name, _, default in _TRAINER.values()}
    normalizer = {name: default for name, _, default in _NORMALIZER.values()}
    denormalizer = dict(normalizer)
    parts = {2: (_TRAINER, trainer), 3: (_NORMALIZER, normalizer), 5: (_NORMALIZER, denormalizer)}
    for number, wire, start, end in reader.fields(position, len(data)):
        if number == 1 and wire == _BYTES:
            pieces.append(_piece(reader, start, end))
        elif number in parts and wire == _BYTES:
            _merge(reader, start, end, *parts[number])
    if trainer["byte_fallback"] and any(text == "\0" for text, _, _ in pieces):
        # A raw NUL piece some converters write; sentencepiece 0.2.3 ignores it too (issue 1308 there).
        pieces = [(text, score, UNUSED if text == "\0" else kind) for text, score, kind in pieces]
    model = _model(reader, pieces, trainer, normalizer, denormalizer)
    _check(model, file)
    return Spec(model, config=_config(model, trainer))


def _model(
    reader: _Reader,
    pieces: list[tuple[str, float, int]],
    trainer: dict[str, Any],
    normalizer: dict[str, Any],
    denormalizer: dict[str, Any],
) -> SentencePiece:
    if trainer["model_type"] not in _MODEL_TYPES:
        raise reader.error(
            "unknown model type; 1 unigram, 2 bpe, 3 word, 4 char", "trainer_spec.model_type", trainer["model_type"]
        )
    return SentencePiece(
        pieces=pieces,
        model_type=_MODEL_TYPES[trainer["model_type"]],
        byte_fallback=bool(trainer["byte_fallback"]),
        unk_surface=reader.text(trainer["unk_surface"], "trainer_spec.unk_surface"),
        precompiled_charsmap=normalizer["precompiled_charsmap"],
        add_dummy_prefix=bool(normalizer["add_dummy_prefix"]),
        remove_extra_whitespaces=bool(normalizer["remove_extra_whitespaces"]),
        escape_whitespaces=bool(normalizer["escape_whitespaces"]),
        treat_whitespace_as_suffix=bool(trainer["treat_whitespace_as_suffix"]),
        denormalizer_charsmap=denormalizer["precompiled_charsmap"],
        denormalizer_add_dummy_prefix=bool(denormalizer["add_dummy_prefix"]),
        denormalizer_remove_extra_whitespaces=bool(denormalizer["remove_extra_whitespaces"]),
        denormalizer_escape_whitespaces=bool(denormalizer["escape_whitespaces"]),
    )


def _config(model: SentencePiece, trainer: dict[str, Any]) -> Config:
    """Name the special pieces that exist; sentencepiece knows bos, eos and pad only as control pieces."""
    controls = {text for text, _, kind in model.pieces if kind == CONTROL}

    def control(field: str) -> str | None:
        default = next(d for name, _, d in _TRAINER.values() if name == field)
        text = (trainer[field] or default).decode("utf-8", "replace")
        return text if text in controls else None

    return Config(
        bos_token=control("bos_piece"),
        eos_token=control("eos_piece"),
        pad_token=control("pad_piece"),
        unk_token=next((text for text, _, kind in model.pieces if kind == UNKNOWN), None),
    )


def _check(model: SentencePiece, file: str | None) -> None:
    """Refuse what sentencepiece refuses."""
    unknown = [text for text, _, kind in model.pieces if kind == UNKNOWN]
    if len(unknown) > 1:
        raise SpecError("more than one piece of type UNKNOWN", file=file, field="pieces", value=unknown)
    if not unknown and not model.byte_fallback:
        raise SpecError("no piece of type UNKNOWN, and no byte_fallback", file=file, field="pieces")
    texts = {text for text, _, _ in model.pieces}
    if len(texts) < len(model.pieces) or "" in texts or "\0" in "".join(texts) or max(map(len, texts)) > 1999:
        _check_texts(model, file)
    _check_bytes(model, file)
    if model.model_type == "unigram":
        if all(kind in (UNKNOWN, CONTROL, BYTE) for _, _, kind in model.pieces):
            raise SpecError("a unigram model without normal pieces", file=file, field="pieces")
        for i, (_, score, _) in enumerate(model.pieces):
            if score - score != 0:  # NaN or infinite
                raise SpecError("the score is not a finite number", file=file, field=f"pieces[{i}].score", value=score)


def _check_texts(model: SentencePiece, file: str | None) -> None:
    """Every piece has a text of its own: of its own in all for BPE, else among normal and among special ones."""
    seen: set[tuple[bool, str]] = set()
    for i, (text, _, kind) in enumerate(model.pieces):
        field = f"pieces[{i}].piece"
        if not text:
            raise SpecError("the piece is empty", file=file, field=field)
        if text == "\0" and kind == UNUSED:
            continue
        if "\0" in text:
            raise SpecError("the piece holds a NUL character", file=file, field=field, value=text)
        if len(text.encode()) >= _MAX_PIECE_BYTES:
            raise SpecError(f"the piece has {_MAX_PIECE_BYTES} bytes or more", file=file, field=field, value=text)
        key = (model.model_type != "bpe" and kind in (UNKNOWN, CONTROL, BYTE), text)
        if key in seen:
            raise SpecError("the piece is defined twice", file=file, field=field, value=text)
        seen.add(key)


def _check_bytes(model: SentencePiece, file: str | None) -> None:
    """With byte_fallback there is a piece for each of the 256 bytes, without it there is none."""
    found = {text for text, _, kind in model.pieces if kind == BYTE}
    if not model.byte_fallback:
        if found:
            raise SpecError("byte pieces, but byte_fallback is off", file=file, field="pieces", value=min(found))
        return
    wanted = {f"<0x{byte:02X}>" for byte in range(256)}
    if found != wanted:
        odd = min(found ^ wanted)
        raise SpecError(
            "byte_fallback needs the pieces <0x00> to <0xFF>, no others", file=file, field="pieces", value=odd
        )


def _leading_pieces(reader: _Reader) -> tuple[list[tuple[str, float, int]], int]:
    """Read the pieces at the start of the file, written the way every known writer writes them.

    That is: text, score, and perhaps type, each with a one-byte length. Stops
    at the first record of another form; `parse` reads on from there. Reading
    100,000 pieces field by field would take most of a second.
    """
    data = reader.data
    texts: list[bytes] = []
    scores: list[bytes] = []
    kinds: list[int] = []
    position, limit = 0, len(data) - 2
    while position < limit and data[position] == 0x0A:
        size = data[position + 1]
        start = position + 4
        end = position + 2 + size
        if size > 127 or size < 2 or end > limit + 2 or data[position + 2] != 0x0A:
            break
        middle = start + data[position + 3]  # of a long text: beyond `end`
        rest = end - middle
        if rest == 7 and data[middle] == 0x15 and data[middle + 5] == 0x18 and 0 < data[middle + 6] <= BYTE:
            kinds.append(data[middle + 6])
        elif rest == 5 and data[middle] == 0x15:
            kinds.append(NORMAL)
        else:
            break
        texts.append(data[start:middle])
        scores.append(data[middle + 1 : middle + 5])
        position = end
    floats = unpack(f"<{len(scores)}f", b"".join(scores))
    return list(zip(_decode_all(reader, texts), floats, kinds, strict=True)), position


def _decode_all(reader: _Reader, texts: list[bytes]) -> list[str]:
    """Decode many texts; at once if none holds a NUL."""
    try:
        decoded = b"\0".join(texts).decode().split("\0")
        if len(decoded) == len(texts):
            return decoded
    except UnicodeDecodeError:
        pass
    return [reader.text(text, f"pieces[{i}].piece") for i, text in enumerate(texts)]


_PIECE: Fields = {1: ("piece", _BYTES, b""), 2: ("score", _FIXED32, 0.0), 3: ("type", _VARINT, NORMAL)}


def _piece(reader: _Reader, start: int, end: int) -> tuple[str, float, int]:
    values = {name: default for name, _, default in _PIECE.values()}
    _merge(reader, start, end, _PIECE, values)
    if not NORMAL <= values["type"] <= BYTE:
        raise reader.error("unknown type of piece; 1 to 6 are known", f"offset {start:#x}", values["type"])
    return reader.text(values["piece"], f"offset {start:#x}"), values["score"], values["type"]


def _merge(reader: _Reader, start: int, end: int, fields: Fields, values: dict[str, Any]) -> None:
    """Put the known fields of the message in data[start:end] into `values`; the last one of a field wins."""
    for number, wire, a, b in reader.fields(start, end):
        name, expected, _ = fields.get(number, ("", -1, None))
        if wire != expected:
            continue  # unknown, or of another type: protobuf takes that for unknown
        if wire == _BYTES:
            values[name] = reader.data[a:b]
        elif wire == _FIXED32:
            values[name] = unpack_from("<f", reader.data, a)[0]
        else:
            values[name] = reader.varint(a, b)[0]


class _Reader:
    """Bounds-checked reading of protobuf's wire format."""

    def __init__(self, data: bytes, file: str | None) -> None:
        self.data = data
        self.file = file

    def error(self, message: str, field: str, value: Any = ...) -> SpecError:
        return SpecError(message, file=self.file, field=field, value=value)

    def damaged(self, what: str, position: int) -> SpecError:
        return self.error(f"not a sentencepiece model, or a damaged one: {what}", f"offset {position:#x}")

    def text(self, data: bytes, field: str) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self.error("the text is not UTF-8", field, data) from None

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """Return the number at `position` and the position after it."""
        value = 0
        for shift in range(0, 70, 7):
            if position >= end:
                raise self.damaged("it ends inside a number", position)
            byte = self.data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, position
        raise self.damaged("a number of more than ten bytes", position - 10)

    def fields(self, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield (field number, wire type, start, end of the value) of the message in data[position:end]."""
        groups: list[int] = []
        while position < end:
            start = position
            tag, position = self.varint(position, end)
            number, wire = tag >> 3, tag & 7
            if number == 0 or wire > _FIXED32 or tag >> 32:
                raise self.damaged(f"{tag} begins no field", start)
            if wire == _GROUP:
                groups.append(number)
                if len(groups) > _MAX_GROUP_DEPTH:
                    raise self.damaged("groups nested too deeply", start)
                continue
            if wire == _END_GROUP:
                if not groups or groups.pop() != number:
                    raise self.damaged("the end of a group that was not begun", start)
                continue
            position, stop = self._value(wire, position, end)
            if not groups:
                yield number, wire, position, stop
            position = stop
        if groups:
            raise self.damaged("it ends inside a group", end)

    def _value(self, wire: int, position: int, end: int) -> tuple[int, int]:
        """Return where the value at `position` begins and ends."""
        if wire == _VARINT:
            return position, self.varint(position, end)[1]
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire, 0)
        start = position
        if wire == _BYTES:
            size, start = self.varint(position, end)
        if size > end - start:
            raise self.damaged(f"{size} bytes announced, {end - start} left", position)
        return start, start + size
