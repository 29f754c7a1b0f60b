"""convert: source -> file, proven before it takes its name."""

from __future__ import annotations

import hashlib
import json
import os

from tokenizers_lite._record import Record
from tokenizers_lite.errors import LossyExportError, SpecError
from vocab_converters import cases as case_lists
from vocab_converters._binary import read_limited, replacing
from vocab_converters._causes import REMEDIES, Explainer
from vocab_converters._header import is_430
from vocab_converters._targets import Built, Request, candidates, make, reader_name, target_name
from vocab_converters.fidelity import Decoding, Report, by_cause, compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tokenizers_lite.spec import Spec
    from tokenizers_lite.tokenizer import Tokenizer

    Encode = Callable[[str], Sequence[int]]
    Progress = Callable[[str, int, int], object]


class Source(Record):
    """A tokenizer to convert: its spec and its exact encoder."""

    spec: Spec
    encode: Encode
    tokenizer: Tokenizer | None = None
    name: str = ""


def open_source(source: Any) -> Source:
    """Return a source by name, path, `Tokenizer` or `Spec`.

    Raises:
        SpecError: a name or file that cannot be read.
    """
    from tokenizers_lite.spec import Spec as SpecClass
    from tokenizers_lite.tokenizer import Tokenizer

    if isinstance(source, Source):
        return source
    if isinstance(source, SpecClass):
        tokenizer = Tokenizer(source)
    elif isinstance(source, Tokenizer):
        tokenizer = source
    else:
        tokenizer = _load(os.fspath(source))
    return Source(tokenizer.spec, tokenizer.encode, tokenizer, str(getattr(source, "name", source))[:200])


def _load(name: str) -> Tokenizer:
    """Load a tokenizer by name or path; 430 files are read here."""
    from tokenizers_lite import load
    from tokenizers_lite.tokenizer import Tokenizer

    if os.path.isfile(name):
        with open(name, "rb") as file:
            start = file.read(8)
        if is_430(start):
            from vocab_converters._inspect import read_430

            return Tokenizer(read_430(name), name)
    return load(name)


def convert(
    source: Any,
    path: str | os.PathLike[str],
    *,
    target: str = "auto",
    reader: str = "auto",
    allow_loss: bool = False,
    cases: str | os.PathLike[str] | None = None,
    whole_vocabulary: bool = True,
    tail: str = "newer",
    cap_runs: bool = True,
    compose: bool = False,
    manifest: bool = True,
    test_cases: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write a tokenizer as another file, after proving what its reader will make of it.

    The file is written under a temporary name, read back, run through an
    emulation of its reader on texts in many scripts, the model's prompts,
    every token and the user's own cases, and compared with the exact
    tokenizer. Only then it takes the place of what was at `path`.

    Args:
        source: a model's name, a path, a `Tokenizer` or a `Spec`.
        path: the file to write.
        target: "mtok", "mnn-text" (or "mnn-text:sentencepiece", ":tiktoken",
            ":bert", ":huggingface"), "compact", "tiktoken", "tokenizer.json",
            or "auto": by the extension, else the one that differs least.
        reader: the C++ that will load it: "mnn-llm" (2025-01), "native-llm"
            (2026-07), "mnn" (2026-08) or "auto".
        allow_loss: write the file although ids will differ.
        cases: a file of texts to try as well; see `vocab_converters.cases.from_file`.
        whole_vocabulary: try every token of the vocabulary, too.
        tail: end .mtok files "newer" (with post operations) or "older".
        cap_runs: let .mtok files cut runs of more than 512 letters, which
            would keep the readers busy for minutes.
        compose: let .mtok files replace common pairs of letter and mark in
            place of NFC; more texts come out right, encoding takes longer.
        manifest: write `path` + ".manifest.json" beside the file, for audits.
        test_cases: write MNN's test_cases.jsonl into the same folder.
        progress: called with a label, the number done and the total.

    Returns:
        The report: what differs, by cause, with examples and remedies.

    Raises:
        LossyExportError: ids differ and `allow_loss` is not set; its `report`
            says which and why. What was at `path` is untouched.
        SpecError: the source cannot be read, or the target cannot hold it.
    """
    path, opened = os.fspath(path), open_source(source)
    request = Request(target_name(target, path), reader, tail, cap_runs, compose)
    chosen, why = choose(opened, request)
    texts = case_lists.gather(
        opened.spec, None if cases is None else os.fspath(cases), whole_vocabulary=whole_vocabulary
    )
    with replacing(path) as (file, temporary):
        file.write(chosen.data)
        file.flush()
        report = prove(opened, chosen, read_limited(temporary), texts, progress).replace(why=why)
        if not report.exact and not allow_loss:
            raise LossyExportError(
                f"{path} was not written, because ids would differ (allow_loss=True writes it)\n{report}", report
            )
    if manifest:
        _write_json(f"{path}.manifest.json", _manifest(opened, chosen, report, path))
    if test_cases:
        write_test_cases(opened, os.path.join(os.path.dirname(os.path.abspath(path)), "test_cases.jsonl"))
    return report


def choose(source: Source, request: Request) -> tuple[Built, tuple[str, ...]]:
    """Pick and build the target; "auto" tries all that can hold the model on the texts that come with the package."""
    if request.target not in ("auto", "mtok") and not request.target.startswith("mnn-text"):
        return make(source.spec, request.target, "", request), ()
    reader, reason = reader_name(request.reader)
    if request.target != "auto":
        return make(source.spec, request.target, reader, request), (reason,)
    texts = [*case_lists.built_in(), *case_lists.prompts(source.spec)]
    best: tuple[int, Built] | None = None
    tried = []
    for target in candidates(source.spec, reader):
        try:
            built = make(source.spec, target, reader, request)
        except SpecError as error:
            tried.append(f"{target} cannot hold it ({error})")
            continue
        report = prove(source, built, built.data, texts)
        tried.append(f"{target} differs on {report.differing} of {report.texts} texts")
        if best is None or report.differing < best[0]:
            best = (report.differing, built)
    if best is None:
        raise SpecError(f"no target of {reader} holds this model; {'; '.join(tried)}", field="model")
    return best[1], (reason, f"target {best[1].target}: {'; '.join(tried)}")


def prove(
    source: Source,
    built: Built,
    data: bytes,
    texts: Sequence[case_lists.Case],
    progress: Progress | None = None,
) -> Report:
    """Compare what a file's reader gives with the exact tokenizer."""
    emulated, decode = built.opened(data)
    explain = Explainer(source.spec, source.encode, emulated, built.reader, built.kind)

    def tick(done: int) -> None:
        if progress is not None:
            progress("comparing", done, len(texts))

    groups, differences = compare(texts, source.encode, emulated, explain, tick)
    tick(len(texts))
    causes = by_cause(differences, REMEDIES)
    reader = built.reader or "any reader"
    decoding = None
    if decode is not None and source.tokenizer is not None:
        decoding = decoded(source.tokenizer, decode, [case for case in texts if case.kind != "vocabulary"])
    return Report(built.target, reader, tuple(groups), causes, built.losses, decoding=decoding)


def decoded(
    tokenizer: Tokenizer, decode: Callable[[Sequence[int]], bytes], texts: Sequence[case_lists.Case]
) -> Decoding:
    """Compare what the exact ids print, token by token, with the exact text; a blank in front does not count."""
    differing, example = 0, ("", "")
    for case in texts:
        ids = tokenizer.encode(case.text, add_special_tokens=False)
        right, shown = tokenizer.decode_bytes(ids, skip_special_tokens=False), decode(ids)
        if shown not in (right, b" " + right):
            differing += 1
            if differing == 1 or len(right) < len(example[0]):
                example = (right.decode("utf-8", "replace"), shown.decode("utf-8", "replace"))
    return Decoding(len(texts), differing, *example)


def write_test_cases(source: Source, path: str) -> None:
    """Write MNN's test_cases.jsonl."""
    tokenizer = source.tokenizer
    if tokenizer is None:
        raise SpecError("test cases need a tokenizer that decodes", field="source")

    def encode(text: str, add: bool) -> Sequence[int]:
        return tokenizer.encode(text, add_special_tokens=add)

    lines = case_lists.mnn_cases(source.spec, encode, tokenizer.decode)
    with replacing(path) as (file, _):
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))


def _manifest(source: Source, built: Built, report: Report, path: str) -> dict[str, Any]:
    """Describe an export, so that a build can be audited."""
    from tokenizers_lite import __version__

    origin = source.spec.source
    return {
        "made_by": f"tokenizers-lite {__version__}",
        "source": {
            "name": source.name,
            "kind": origin.kind,
            "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in origin.files],
        },
        "target": built.target,
        "reader": built.reader,
        "file": {
            "name": os.path.basename(path),
            "size": len(built.data),
            "sha256": hashlib.sha256(built.data).hexdigest(),
        },
        "report": report.to_json(),
    }


def _write_json(path: str, value: dict[str, Any]) -> None:
    """Write JSON so that it appears complete or not at all."""
    with replacing(path) as (file, _):
        file.write(json.dumps(value, ensure_ascii=True, indent=2).encode("ascii") + b"\n")
