"""Measure how often files for the C++ readers give other ids than the tokenizer: the table of docs/fidelity.md.

    python scripts/fidelity_table.py ../shared/vocab ../shared/corpora [MODEL ...] [--record docs/fidelity.md]

For every model and reader two files are made, one as the stock exporters make
it and one by `vocab_converters`, both are run through the emulated reader on
texts of ten classes, and compared with the exact tokenizer (BOS and EOS
included). The figures are per cent of texts with at least one other id; the
last column is texts / tokens over all classes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time

from tokenizers_lite.errors import TokenizerError
from tokenizers_lite.formats import hf_json
from tokenizers_lite.spec import models, pre_tokenizers
from tokenizers_lite.tokenizer import Tokenizer
from vocab_converters import cases, emulate, fidelity
from vocab_converters._facts import flat_pre_tokenizers, id_table, is_byte_level, marker_form, stop_ids, surroundings
from vocab_converters._header import HUGGINGFACE, PIPELINE, SENTENCEPIECE, TIKTOKEN, Header
from vocab_converters._mtok_normalizers import normalizer_node
from vocab_converters._nodes import NORMALIZERS, PRE_TOKENIZERS, Node, make
from vocab_converters._targets import Request
from vocab_converters._targets import make as build_target
from vocab_converters.emulate import MNN, MNN_LLM, NATIVE, ReaderError
from vocab_converters.emulate._base import FROM_ALPHABET
from vocab_converters.mnn_text import MergeVocab, SentencePieceVocab, TokenVocab
from vocab_converters.mtok import BpeModel, Mtok, MtokToken, PostOp, Tail, WordPieceModel
from vocab_converters.mtok_writer import _decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers_lite.spec import Spec

    Encode = Callable[[str], Sequence[int]]
    File = Mtok | SentencePieceVocab | TokenVocab | MergeVocab

# class -> corpora it samples lines from
CORPORA = {
    "en": ("en_handbook_guide.txt",),
    "zh": ("zh_fortunes_ansi.txt", "zh_fortunes_poems.txt"),
    "ja hi ru": ("ja.txt", "hi.txt", "ru.txt"),
    "ui": ("django_ui_all_languages.txt",),
    "emoji": ("emoji.txt",),
    "code": ("code_python_js_html.txt",),
    "nfc": ("unicode_normalization_test.txt",),
}
BUILT_IN = {"template": ("chat", "template"), "odd": ("odd", "white space", "composition"), "nums": ("numbers",)}
PER_CLASS = 100


def texts(folder: str, spec: Spec) -> list[cases.Case]:
    """Return the texts of all classes; every 1st of n lines, whole, with its line end."""
    found = []
    for name, files in CORPORA.items():
        lines: list[str] = []
        for file in files:
            with open(os.path.join(folder, file), encoding="utf-8", newline="") as source:
                lines += [line for line in source.read().split("\n") if line.strip()]
        step = max(1, len(lines) // PER_CLASS)
        found += [cases.Case(name, line + "\n") for line in lines[::step][:PER_CLASS]]
    for case in [*cases.built_in(), *cases.prompts(spec)]:
        kind = next((name for name, kinds in BUILT_IN.items() if case.kind in kinds), None)
        if kind is not None:
            found.append(case.replace(kind=kind))
    return found


# ------------------------------------------------------------ what the stock exporters write


def stock(spec: Spec, kind: int) -> File | None:
    """Return a file as the stock exporters make it; None where they make none of this type."""
    table = id_table(spec)
    listed = sorted(spec.added_tokens, key=lambda token: token.id)
    special = tuple(token.id for token in listed if token.special or kind != PIPELINE)
    before = surroundings(spec)[0]
    prefix = () if kind in (TIKTOKEN, HUGGINGFACE) else before
    header = Header(kind, special, stop_ids(spec), prefix, blank=kind != PIPELINE)
    if kind == PIPELINE:
        return stock_mtok(spec, header)
    if kind == SENTENCEPIECE and isinstance(spec.model, models.SentencePiece):
        made = {4: 1}  # user-defined pieces are written as normal ones
        pieces = [(text.replace("▁", " "), score, made.get(k, k)) for text, score, k in spec.model.pieces]
        return SentencePieceVocab(header, pieces)
    if kind == SENTENCEPIECE and marker_form(spec) is not None:
        return SentencePieceVocab(header, [(text or "<unk>", 0.0, 1) for text in table])
    if kind == HUGGINGFACE and is_byte_level(spec):
        tokens = [text or "<unk>" for text in table]
        return MergeVocab(header, [t.replace("\n", "") or "<unk>" for t in tokens], list(spec.model.merges))
    if kind == TIKTOKEN and is_byte_level(spec):
        return TokenVocab(header, [_stock_bytes(text or "<unk>") for text in table])
    return None


def _stock_bytes(text: str) -> bytes:
    try:
        return bytes(FROM_ALPHABET.get(char, ord(char)) for char in text)
    except ValueError:
        return text.encode()


def stock_mtok(spec: Spec, header: Header) -> Mtok | None:
    """Return MNN's .mtok export of 2026-08."""
    model = spec.model
    if isinstance(model, models.BPE):
        vocab = sorted(model.vocab.items())
        ids = model.vocab
        merges = sorted((ids[a], ids[b], rank) for rank, (a, b) in enumerate(model.merges))
        written = BpeModel(vocab, merges, model.byte_fallback)
    elif isinstance(model, models.WordPiece):
        written = WordPieceModel(
            sorted(model.vocab.items()),
            model.unk_token,
            model.continuing_subword_prefix,
            model.max_input_chars_per_word,
        )
    else:
        return None
    before, after = surroundings(spec)
    template = type(spec.post_processor).__name__ == "TemplateProcessing"
    ops = (*map(PostOp, before), PostOp(), *map(PostOp, after)) if template else ()
    added = tuple(MtokToken(t.id, t.content, t.special, t.lstrip, t.rstrip) for t in spec.added_tokens)
    tail = Tail("", "", 0, "", ops)
    return Mtok(header, _stock_normalizer(spec), _stock_pre(spec), written, _decoder(spec, []), added, tail)


def _stock_normalizer(spec: Spec) -> Node:
    kind = type(spec.normalizer).__name__
    if kind in ("NFC", "NFKC"):
        import unicodedata

        codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
        pairs = [(code, unicodedata.normalize(kind, chr(code))) for code in codes]
        table = [(code, text) for code, text in pairs if text != chr(code)]
        return make(NORMALIZERS, "table", tuple(table))
    if kind == "BertNormalizer":
        import unicodedata

        codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
        pairs = [(c, unicodedata.normalize("NFD", chr(c))) for c in codes]
        table = tuple((c, text) for c, text in pairs if text != chr(c))
        return make(NORMALIZERS, "bert-nfd", 1, 1, 1, 1, table)
    return normalizer_node(spec.normalizer, [])


def _stock_pre(spec: Spec) -> Node:
    nodes = []
    for step in flat_pre_tokenizers(spec.pre_tokenizer):
        if isinstance(step, pre_tokenizers.Split):
            behaviour = {"Isolated": 0, "MergedWithPrevious": 2}.get(step.behavior, 1)
            nodes.append(make(PRE_TOKENIZERS, "split", step.pattern.text, int(step.invert), behaviour))
        elif isinstance(step, pre_tokenizers.ByteLevel):
            nodes.append(make(PRE_TOKENIZERS, "byte-level", int(step.use_regex)))
        elif isinstance(step, pre_tokenizers.Digits):
            nodes.append(make(PRE_TOKENIZERS, "digits", int(step.individual_digits)))
        elif isinstance(step, pre_tokenizers.BertPreTokenizer):
            nodes.append(make(PRE_TOKENIZERS, "bert"))
    return nodes[0] if len(nodes) == 1 else make(PRE_TOKENIZERS, "sequence", tuple(nodes)) if nodes else Node(0)


# ------------------------------------------------------------ measuring


def row(label: str, encode: Encode, exact: Encode, sample: list[cases.Case]) -> None:
    """Print one line of the table."""
    groups, differences = fidelity.compare(sample, exact, encode, lambda *_: "")
    by_name = {group.name: group for group in groups}
    cells = []
    for name in [*CORPORA, *BUILT_IN]:
        group = by_name[name]
        cells.append(f"{100 * group.differing / group.texts:.1f}".removesuffix(".0"))
    total = sum(group.texts for group in groups)
    tokens = sum(group.tokens for group in groups)
    wrong = sum(group.wrong_tokens for group in groups)
    cells.append(f"{100 * len(differences) / total:.1f} / {100 * wrong / tokens:.2f}")
    print(f"|{label}|{'|'.join(cells)}|", flush=True)


def spec_of(folder: str) -> Spec:
    """Read a model's folder: tokenizer.json with its configuration."""
    return hf_json.read(folder)


def rows_of(model: str, vocab_folder: str, corpora_folder: str) -> None:
    """Print the lines of one model."""
    spec = spec_of(os.path.join(vocab_folder, model))
    tokenizer = Tokenizer(spec)
    sample = texts(corpora_folder, spec)
    exact = {case.text: tokenizer.encode(case.text) for case in sample}.__getitem__
    source = spec
    pieces = os.path.join(vocab_folder, model, "tokenizer.model")
    if os.path.exists(pieces):
        from tokenizers_lite.formats import sentencepiece

        source = sentencepiece.read(pieces).replace(
            added_tokens=spec.added_tokens, config=spec.config, post_processor=spec.post_processor
        )
    for kind in (SENTENCEPIECE, TIKTOKEN, HUGGINGFACE, PIPELINE):
        try:
            record = stock(source if kind == SENTENCEPIECE else spec, kind)
        except TokenizerError:
            record = None
        for reader in (NATIVE, MNN, MNN_LLM):
            if record is None or (kind == PIPELINE and reader == MNN_LLM):
                continue
            try:
                encode = emulate.build(record, reader).encode
            except ReaderError:
                print(f"|{model} stock {kind}, {reader}|the reader fails to load it|", flush=True)
                continue
            row(f"{model} stock {kind}, {reader}", encode, exact, sample)
    for reader in (NATIVE, MNN, MNN_LLM):
        for target in ("mtok", "mnn-text"):
            try:
                built = build_target(spec, target, reader, Request())
            except TokenizerError:
                continue
            name = built.target.replace("mnn-text:", "type ")
            row(f"**{model} ours {name}, {reader}**", built.opened(built.data)[0], exact, sample)


def table(models_wanted: Sequence[str], vocab_folder: str, corpora_folder: str) -> None:
    """Print the whole table."""
    names = [*CORPORA, *BUILT_IN, "all (texts / tokens)"]
    print(f"|file, reader|{'|'.join(names)}|\n|{'-|' * (len(names) + 1)}", flush=True)
    for model in models_wanted:
        start = time.monotonic()
        rows_of(model, vocab_folder, corpora_folder)
        print(f"{model}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    """Print the table for all models or those named, or put it between the marks of a page."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("vocab", help="a folder with a folder for each model")
    made.add_argument("corpora", help="the folder of texts")
    made.add_argument("models", nargs="*", help="names of folders (default: all)")
    made.add_argument("--record", metavar="FILE", help="put the table between the marks of this page")
    options = made.parse_args()
    wanted = options.models or sorted(os.listdir(options.vocab))
    if not options.record:
        return table(wanted, options.vocab, options.corpora)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        table(wanted, options.vocab, options.corpora)
    with open(options.record, encoding="utf-8") as page:
        before, mark, rest = page.read().partition("<!-- fidelity -->\n")
    _, end, after = rest.partition("<!-- /fidelity -->\n")
    if not end:
        raise SystemExit(f"{options.record} has no <!-- fidelity --> ... <!-- /fidelity -->")
    with open(options.record, "w", encoding="utf-8") as page:
        page.write(before + mark + printed.getvalue() + end + after)
    return None


if __name__ == "__main__":
    main()
