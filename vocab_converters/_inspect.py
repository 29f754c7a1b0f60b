"""inspect, verify and diff: look at files that are already there."""

from __future__ import annotations

import os

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Source as SpecSource
from tokenizers_lite.spec import SourceFile
from vocab_converters import cases as case_lists
from vocab_converters._binary import read_limited
from vocab_converters._causes import REMEDIES, Explainer
from vocab_converters._convert import Source, open_source
from vocab_converters._header import BERT, TIKTOKEN, TYPE_NAMES, is_430
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Layout, Node, name
from vocab_converters._targets import reader_name
from vocab_converters.emulate import READERS, ReaderError, build, parse
from vocab_converters.fidelity import Report, by_cause, compare
from vocab_converters.mnn_text import BYTE, NORMAL, UNKNOWN, MergeVocab, SentencePieceVocab, TokenVocab
from vocab_converters.mtok import BpeModel, Mtok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tokenizers_lite.spec import Spec
    from vocab_converters._convert import Progress

    Encode = Callable[[str], Sequence[int]]
    Parsed = Mtok | SentencePieceVocab | TokenVocab | MergeVocab


class Info(Record):
    """What a file is: plain facts and warnings.

    Attributes:
        path: the file.
        facts: name -> value, in the order to print.
        warnings: what will go wrong with it, and for whom.
    """

    path: str
    facts: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.path, *(f"  {key}: {value}" for key, value in self.facts.items())]
        return "\n".join([*lines, *(f"  warning: {text}" for text in self.warnings)])


def read_430(path: str) -> Spec:
    """Read a 430 file of any type as a Spec.

    Raises:
        SpecError: the file is broken, or holds what a Spec cannot say.
    """
    import hashlib

    from vocab_converters import mtok_reader, text_reader

    data = read_limited(path)
    record = parse(data, path)
    spec = mtok_reader.to_spec(record) if isinstance(record, Mtok) else text_reader.to_spec(record)
    file = SourceFile(os.path.basename(path), len(data), hashlib.sha256(data).hexdigest())
    return spec.replace(source=SpecSource(TYPE_NAMES[record.header.type], (file,)))


def inspect(path: str | os.PathLike[str]) -> Info:
    """Describe a 430 file and warn of what its readers make of it.

    Raises:
        SpecError: the file is not a 430 file or is broken; the message names line or offset.
    """
    path = os.fspath(path)
    data = read_limited(path)
    record = parse(data, path)
    header = record.header
    facts: dict[str, Any] = {
        "format": f"430 {header.type} ({TYPE_NAMES[header.type]})",
        "bytes": len(data),
        "special ids": len(header.special),
        "stop ids": list(header.stop),
        "prefix ids": list(header.prefix),
    }
    warnings = _special_warnings(record)
    if isinstance(record, Mtok):
        facts |= _mtok_facts(record)
        warnings += _mtok_warnings(record)
    else:
        facts["tokens"] = len(record.pieces if isinstance(record, SentencePieceVocab) else record.tokens)
        if isinstance(record, MergeVocab):
            facts["merges"] = len(record.merges)
        warnings += _text_warnings(record)
    return Info(path, facts, tuple(warnings))


def _mtok_facts(record: Mtok) -> dict[str, Any]:
    """List what a .mtok file holds."""
    model = record.model
    facts: dict[str, Any] = {
        "normalizer": outline(record.normalizer, NORMALIZERS),
        "pre-tokenizer": outline(record.pre_tokenizer, PRE_TOKENIZERS),
        "model": f"{type(model).__name__.removesuffix('Model')}, {len(model.vocab)} tokens",
    }
    if isinstance(model, BpeModel):
        facts["merges"] = len(model.merges)
    facts["decoder"] = outline(record.decoder, DECODERS)
    facts["added tokens"] = len(record.added)
    tail = record.tail
    facts["chat template"] = f"{len(tail.template)} characters" if tail.template else "none"
    facts["eos, bos"] = f"{tail.eos!r}, {tail.bos!r}"
    ops = "older form" if tail.old_post_ids is not None else None if tail.post_ops is None else len(tail.post_ops)
    facts["post operations"] = "not in the file" if ops is None else ops
    return facts


def outline(node: Node, layout: Layout) -> str:
    """Describe a component in one line."""
    fields = []
    for field in node.fields:
        if isinstance(field, tuple) and field and isinstance(field[0], Node):
            fields.append(", ".join(outline(child, layout) for child in field))
        elif isinstance(field, tuple):
            fields.append(f"{len(field)} entries")
        else:
            fields.append(repr(field))
    return name(layout, node) + (f"({', '.join(fields)})" if fields else "")


def _special_warnings(record: Parsed) -> list[str]:
    """Warn of special ids that readers will not find, or find too early."""
    try:
        emulated = build(record, READERS[2])
    except ReaderError as error:
        return [f"mnn: {error}"]
    shown = [(number, emulated.decode_id(number)) for number in record.header.special]
    warnings = []
    elsewhere = {token.id for token in record.added} if isinstance(record, Mtok) else set()
    silent = [number for number, text in shown if not text and number not in elsewhere]
    if silent:
        ids = ", ".join(map(str, silent[:5]))
        warnings.append(f"{len(silent)} special ids ({ids} ...) print nothing, so they are never found in a text")
    texts = [text for _, text in shown if text]
    for index, text in enumerate(texts):
        shorter = next((early for early in texts[:index] if early != text and text.startswith(early)), None)
        if shorter is not None:
            warnings.append(f"special {text!r} is never found: {shorter!r} comes first in the list")
            break
    return warnings


def _mtok_warnings(record: Mtok) -> list[str]:
    """Warn of what is known to go wrong with .mtok files."""
    warnings = []
    if _holds_table(record.normalizer):
        warnings.append(
            "the character table turns ZWJ, ZWNJ, BOM and control characters into blanks and cannot compose"
        )
    ops = record.tail.post_ops or ()
    doubled = [op.token for op in ops if op.token in record.header.prefix]
    if doubled:
        warnings.append(f"ids {doubled} are prefix ids and post operations: mnn adds them twice")
    size = len(record.model.vocab)
    outside = [token.id for token in record.added if token.id >= size]
    if outside:
        warnings.append(f"{len(outside)} added tokens are outside the vocabulary: decoding them gives nothing")
    if (record.tail.flags or 0) & 1:
        warnings.append("flag 1: mnn joins blanks around punctuation when it decodes a list")
    return warnings


def _holds_table(node: Node) -> bool:
    """Tell whether a normalizer holds a character table that does something."""
    kind = name(NORMALIZERS, node)
    if kind == "sequence":
        return any(map(_holds_table, node.fields[0]))
    return kind == "table" and bool(node.fields[0])


def _text_warnings(record: SentencePieceVocab | TokenVocab | MergeVocab) -> list[str]:
    """Warn of what is known to go wrong with text vocabularies."""
    if isinstance(record, SentencePieceVocab):
        return _piece_warnings(record)
    if isinstance(record, MergeVocab):
        return ["the pre-tokenizer is built into the reader: only Qwen's pattern in native-llm is anybody's own"]
    warnings = []
    if record.header.type == TIKTOKEN:
        warnings.append("readers take the longest token that fits; BPE models get other ids")
        missing = {bytes([byte]) for byte in range(256)}.difference(record.tokens)
        if missing:
            warnings.append(f"{len(missing)} bytes are no tokens; mnn-llm drops the rest of a text with one of them")
    if record.header.type == BERT and b"[UNK]" not in record.tokens:
        warnings.append("there is no [UNK]: mnn-llm and mnn print id 100, native-llm nothing")
    return warnings


def _piece_warnings(record: SentencePieceVocab) -> list[str]:
    """Warn of a wrong dialect and of missing pieces."""
    warnings = []
    normal = [text for text, _, kind in record.pieces if kind == NORMAL]
    if not any("▁" in text for text in normal):
        warnings.append("the pieces hold blanks: right for mnn-llm, wrong ids for native-llm and mnn on every text")
    elif not any(" " in text for text in normal):
        warnings.append(
            "the pieces hold ▁: right for native-llm and mnn, wrong ids for mnn-llm on every text with a blank"
        )
    kinds = {kind for _, _, kind in record.pieces}
    if UNKNOWN not in kinds:
        warnings.append("no piece is of type 2: id 0 is taken for the unknown piece")
    if BYTE not in kinds:
        warnings.append("there are no byte pieces: unknown characters become unknown ids, one a byte")
    if len({score for _, score, kind in record.pieces if kind == NORMAL}) == 1:
        warnings.append("all scores are equal: merges happen from the left, not by rank")
    if record.missing:
        warnings.append("the file promises one piece more than it holds; that id is empty")
    return warnings


def verify(
    path: str | os.PathLike[str],
    source: Any,
    *,
    reader: str = "auto",
    cases: str | os.PathLike[str] | None = None,
    whole_vocabulary: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Compare what a reader makes of a file with the tokenizer it should be.

    Args:
        path: a 430 file, or any file `tokenizers_lite.load` reads.
        source: the tokenizer: a name, a path, a `Tokenizer` or a `Spec`.
        reader: which C++ reader to emulate, for 430 files.
        cases: a file of further texts.
        whole_vocabulary: try every token as well.
        progress: called with a label, the number done and the total.

    Raises:
        SpecError: one of the two cannot be read.
    """
    opened = open_source(source)
    extra = None if cases is None else os.fspath(cases)
    texts = case_lists.gather(opened.spec, extra, whole_vocabulary=whole_vocabulary)
    other, label, named, kind = _opened(os.fspath(path), reader)
    return _compared(opened, other, texts, (label, named, kind), progress)


def diff(
    first: Any,
    second: Any,
    *,
    reader: str = "auto",
    cases: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare two tokenizers or files text by text; `first` is taken as right.

    430 files are emulated as `reader`; everything else is encoded exactly.
    """
    spec, encode = _either(first, reader)
    _, other = _either(second, reader)
    texts = case_lists.gather(spec, None if cases is None else os.fspath(cases), whole_vocabulary=False)
    return _compared(Source(spec, encode), other, texts, (str(second)[:80], reader, None), progress)


def _either(side: Any, reader: str) -> tuple[Spec, Encode]:
    """Open one side of a diff."""
    if isinstance(side, (str, os.PathLike)) and os.path.isfile(side) and is_430(_start(os.fspath(side))):
        path = os.fspath(side)
        return read_430(path), _opened(path, reader)[0]
    opened = open_source(side)
    return opened.spec, opened.encode


def _start(path: str) -> bytes:
    """Return the first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(8)


def _opened(path: str, reader: str) -> tuple[Encode, str, str, int | None]:
    """Return how to encode with a file, its target's name, its reader's and its type."""
    if not os.path.isfile(path):
        raise SpecError("no such file", file=path)
    if not is_430(_start(path)):
        return open_source(path).encode, os.path.basename(path), "any reader", None
    record = parse(read_limited(path), path)
    chosen = reader_name(reader)[0]
    return build(record, chosen).encode, f"430 {record.header.type}", chosen, record.header.type


def _compared(
    opened: Source,
    other: Encode,
    texts: Sequence[case_lists.Case],
    what: tuple[str, str, int | None],
    progress: Progress | None,
) -> Report:
    """Compare and report."""
    label, reader, kind = what

    def tick(done: int) -> None:
        if progress is not None:
            progress("comparing", done, len(texts))

    explain = Explainer(opened.spec, opened.encode, other, reader, kind)
    groups, differences = compare(texts, opened.encode, other, explain, tick)
    return Report(label, reader, tuple(groups), by_cause(differences, REMEDIES))
