"""The files a spec can become: names, writers, and how to read each back for the proof."""

from __future__ import annotations

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import models
from vocab_converters._facts import Loss, is_byte_level, marker_form
from vocab_converters._header import BERT, HUGGINGFACE, PIPELINE, SENTENCEPIECE, TIKTOKEN
from vocab_converters.emulate import MNN, MNN_LLM, NATIVE, READERS, build, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers_lite.spec import Spec

    Encode = Callable[[str], Sequence[int]]
    Decode = Callable[[Sequence[int]], bytes]

TEXT_KINDS = {"sentencepiece": SENTENCEPIECE, "tiktoken": TIKTOKEN, "bert": BERT, "huggingface": HUGGINGFACE}
TARGETS = (
    "mtok", "mnn-text", *(f"mnn-text:{name}" for name in TEXT_KINDS), "compact", "tiktoken", "tokenizer.json",
)  # fmt: skip
_SUFFIXES = {".mtok": "mtok", ".json": "tokenizer.json", ".tiktoken": "tiktoken", ".tokc": "compact"}


class Built(Record):
    """A file ready to be written and proven.

    Attributes:
        target: full name of the target.
        reader: the reader it is for, "" for targets that any library loads.
        kind: type of the 430 file, None for others.
        data: its bytes.
        losses: what it cannot hold.
        opened: the file's bytes, read back -> text to ids, and ids to bytes, as its reader gives them;
            None for the latter where the library that loads the file is ours.
    """

    target: str
    reader: str
    kind: int | None
    data: bytes
    losses: tuple[Loss, ...]
    opened: Callable[[bytes], tuple[Encode, Decode | None]]


class Request(Record):
    """What was asked for, beside the spec."""

    target: str = "auto"
    reader: str = "auto"
    tail: str = "newer"
    cap_runs: bool = True
    compose: bool = False


def target_name(target: str, path: str) -> str:
    """Return the target's full name; "auto" is decided by the file's extension where that says something."""
    if target == "auto":
        return next((name for suffix, name in _SUFFIXES.items() if str(path).endswith(suffix)), "auto")
    known = {f"mnn-text:{number}": f"mnn-text:{name}" for name, number in TEXT_KINDS.items()}
    target = known.get(target, target)
    if target not in TARGETS:
        raise SpecError(f"unknown target; known are {', '.join(TARGETS)}", value=target)
    return target


def reader_name(reader: str) -> tuple[str, str]:
    """Return the reader to write for and why."""
    if reader == "auto":
        return NATIVE, "reader native-llm, the one of Native-LLM-for-Android; pass reader='mnn' for MNN's own"
    if reader not in READERS:
        raise SpecError(f"unknown reader; known are auto, {', '.join(READERS)}", value=reader)
    return reader, f"reader {reader}, as asked"


def candidates(spec: Spec, reader: str) -> list[str]:
    """Return the targets that can hold a spec for a reader, best first by the rules for careful writers."""
    found = []
    if reader != MNN_LLM:
        found.append("mtok")
    text = text_kind(spec)
    if text is not None:
        found.append(f"mnn-text:{text}")
    return found


def text_kind(spec: Spec) -> str | None:
    """Return the type of text vocabulary that suits a model."""
    if isinstance(spec.model, models.WordPiece):
        return "bert"
    if is_byte_level(spec):
        return "huggingface"
    return "sentencepiece" if marker_form(spec) is not None else None


def make(spec: Spec, target: str, reader: str, request: Request) -> Built:
    """Translate a spec into one target.

    Raises:
        SpecError: the target cannot hold the model.
    """
    if target == "mtok":
        return _mtok(spec, reader, request)
    if target.startswith("mnn-text"):
        return _text(spec, target, reader)
    if target == "tokenizer.json":
        return _json(spec)
    if target == "tiktoken":
        return _tiktoken(spec)
    return _compact(spec)


def _mtok(spec: Spec, reader: str, request: Request) -> Built:
    from vocab_converters import mtok
    from vocab_converters.mtok_writer import Options, write_mtok
    from vocab_converters.tokenizer_json import hf_form

    if reader == MNN_LLM:
        raise SpecError("mnn-llm does not read .mtok; use target mnn-text", field="target", value="mtok")
    losses: list[Loss] = []
    plain = hf_form(spec, losses)
    record, more = write_mtok(
        plain, Options(reader, tail=request.tail, cap_runs=request.cap_runs, compose=request.compose)
    )
    return Built(
        "mtok", reader, PIPELINE, mtok.emit(record), tuple(losses + more), lambda data: _emulated(data, reader)
    )


def _text(spec: Spec, target: str, reader: str) -> Built:
    from vocab_converters import mnn_text
    from vocab_converters.text_writer import write_text

    name = target.partition(":")[2] or text_kind(spec)
    if name is None:
        raise SpecError("no type of text vocabulary holds this model; use target mtok", field="model")
    record, losses = write_text(spec, TEXT_KINDS[name], reader)
    data = mnn_text.emit(record)
    return Built(
        f"mnn-text:{name}", reader, TEXT_KINDS[name], data, tuple(losses), lambda back: _emulated(back, reader)
    )


def _emulated(data: bytes, reader: str) -> tuple[Encode, Decode | None]:
    """Open a 430 file as its reader does; decoding is token by token, as apps stream."""
    emulated = build(parse(data), reader)
    return emulated.encode, lambda ids: b"".join(map(emulated.decode_id, ids))


def _json(spec: Spec) -> Built:
    from vocab_converters.tokenizer_json import write_json

    data, losses = write_json(spec)

    def opened(back: bytes) -> tuple[Encode, Decode | None]:
        from tokenizers_lite.formats import hf_json
        from tokenizers_lite.tokenizer import Tokenizer

        return Tokenizer(hf_json.parse(back)).encode, None

    return Built("tokenizer.json", "", None, data, tuple(losses), opened)


def _tiktoken(spec: Spec) -> Built:
    from vocab_converters.tiktoken import read_back, write_tiktoken

    data, losses = write_tiktoken(spec)

    def opened(back: bytes) -> tuple[Encode, Decode | None]:
        from tokenizers_lite.tokenizer import Tokenizer

        return Tokenizer(read_back(spec, back)).encode, None

    return Built("tiktoken", "", None, data, tuple(losses), opened)


def _compact(spec: Spec) -> Built:
    from tokenizers_lite.formats import compact as reading
    from vocab_converters import compact as writing

    same = _for_every_reader(spec)

    def opened(back: bytes) -> tuple[Encode, Decode | None]:
        from tokenizers_lite.tokenizer import Tokenizer

        return Tokenizer(reading.read_bytes(back)).encode, None

    return Built("compact", "", None, writing.dumps(same), (), opened)


def _for_every_reader(spec: Spec) -> Spec:
    """Return components that the C++ reader has as well, for a sentencepiece model that they follow in every way."""
    from vocab_converters.tokenizer_json import hf_form

    model = spec.model
    if not isinstance(model, models.SentencePiece) or model.model_type not in ("bpe", "unigram"):
        return spec
    losses: list[Loss] = []
    same = hf_form(spec, losses)
    # Without byte fallback, unknown text decodes to sentencepiece's own sign.
    return same if not losses and model.byte_fallback else spec


__all__ = ["MNN", "TARGETS", "Built", "Request", "candidates", "make", "reader_name", "target_name", "text_kind"]
