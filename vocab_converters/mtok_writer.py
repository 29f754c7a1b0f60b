"""Spec -> .mtok, as well as the readers allow.

Every deviation from a literal translation is one of: equal by argument (the
cut before blanks), forced by the reader (no NFC), or a guard (dense ids, runs
of letters). What the file cannot hold comes back as `Loss`es.
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import decoders, models, pre_tokenizers
from vocab_converters._added import flag_losses, matched_as_special
from vocab_converters._facts import (
    MARKER,
    Loss,
    MarkerForm,
    flat_pre_tokenizers,
    hole_name,
    id_table,
    is_byte_level,
    marker_form,
    model_tokens,
    stop_ids,
    surroundings,
    to_alphabet,
    unreachable,
)
from vocab_converters._header import PIPELINE, Header
from vocab_converters._mtok_normalizers import NONE, normalizer_node
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, make
from vocab_converters._patterns import RUN_LIMIT, before_blanks, limit_runs, quote
from vocab_converters.emulate._base import MNN
from vocab_converters.mtok import BpeModel, Mtok, MtokToken, PostOp, Tail, UnigramModel, WordPieceModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import AddedToken, Pattern, Spec

SKIPPED_OP = PostOp(0xFFFFFFFF)  # readers skip it; it keeps three specials and a text from looking like the older form


class Options:
    """How to write: for which reader, with which tail, with which limits.

    Args:
        reader: "native-llm" or "mnn".
        tail: "newer" ends with post operations, "older" without.
        cap_runs: cut runs of more than 512 letters, which would stall the readers.
        compose: in place of NFC, replace the common pairs of letter and mark.
    """

    def __init__(self, reader: str, *, tail: str = "newer", cap_runs: bool = True, compose: bool = False) -> None:
        if tail not in ("newer", "older"):
            raise SpecError("tail must be 'newer' or 'older'", value=tail)
        self.reader = reader
        self.tail = tail
        self.cap_runs = cap_runs
        self.compose = compose


def write_mtok(spec: Spec, options: Options) -> tuple[Mtok, list[Loss]]:
    """Translate a spec.

    Returns:
        The file and what it loses. Whether that changes ids of real text is
        for `vocab_converters.verify` to find out.

    Raises:
        SpecError: the model has no counterpart in the format.
    """
    losses = flag_losses(spec)
    tokens = vocabulary(spec)
    model = _model(spec, tokens, losses)
    form = marker_form(spec)
    if form is not None and not isinstance(spec.model, models.SentencePiece):
        normalizer, pre = _marker_pipeline(form, spec, losses)
    else:
        normalizer = normalizer_node(spec.normalizer, losses, compose=options.compose)
        pre = _pre_tokenizer(spec.pre_tokenizer, options, losses)
    decoder = _decoder(spec, losses)
    listed, rest = matched_as_special(spec.added_tokens, lambda token: _listable(token, spec, options))
    header, ops = _frame(spec, listed, options, losses)
    added = tuple(MtokToken(t.id, t.content, t.special, t.lstrip, t.rstrip) for t in rest)
    template = spec.config.chat_templates.get("default", "")
    tail = Tail(template, spec.config.eos_token or "", 0, spec.config.bos_token or "", ops)
    if len(spec.config.chat_templates) > 1:
        losses.append(Loss("config.chat_templates", "only the default template is kept", kind="data"))
    return Mtok(header, normalizer, pre, model, decoder, added, tail), losses


def vocabulary(spec: Spec) -> list[tuple[str, int]]:
    """Return tokens for all ids below the highest, sorted as the readers search.

    Added tokens of byte-level models are written in the byte alphabet: the
    readers map every token back through it, so that "<｜User｜>" and "▁" print
    as themselves.
    """
    table = id_table(spec)
    known = dict(model_tokens(spec))
    encoded = {token.id for token in spec.added_tokens} if is_byte_level(spec) else set()
    entries = []
    for number, found in enumerate(table):
        text = hole_name(number, known) if found is None else to_alphabet(found) if number in encoded else found
        # Where an added token's alphabet form equals a model token, the model's must be found first.
        entries.append((text, known.get(text) != number, number))
    return [(text, number) for text, _, number in sorted(entries)]


def _listable(token: AddedToken, spec: Spec, options: Options) -> bool:
    """Tell whether the special list may hold a token."""
    if options.reader == MNN and not token.special:
        return False  # MNN drops listed ids when it decodes a list
    if isinstance(spec.decoder, decoders.WordPiece):
        return False  # it prints a blank in front, and that is what would be looked for
    return is_byte_level(spec) or (MARKER not in token.content and "<0x" not in token.content)


def _frame(
    spec: Spec, listed: list[AddedToken], options: Options, losses: list[Loss]
) -> tuple[Header, tuple[PostOp, ...] | None]:
    """Decide who adds BOS and EOS: the prefix ids alone where possible, else MNN's post operations."""
    before, after = surroundings(spec)
    special = tuple(token.id for token in listed)
    ops: tuple[PostOp, ...] | None = None if options.tail == "older" else ()
    if after and options.reader == MNN and options.tail == "newer":
        ops = (*map(PostOp, before), PostOp(), *map(PostOp, after))
        if len(ops) == 4:
            ops = (*ops, SKIPPED_OP)
        before = ()
    elif after:
        what = f"ids {after} behind the text are not added"
        losses.append(Loss("post_processor", what, "append them in the app, or use reader mnn"))
    return Header(PIPELINE, special, stop_ids(spec), before), ops


def _model(spec: Spec, tokens: list[tuple[str, int]], losses: list[Loss]) -> BpeModel | WordPieceModel | UnigramModel:
    """Translate the model."""
    model = spec.model
    if isinstance(model, models.BPE):
        affixes = [name for name in ("continuing_subword_prefix", "end_of_word_suffix") if getattr(model, name)]
        remedy = "the compact format keeps it"
        losses += [Loss(f"model.{name}", "the readers know no such affix", remedy) for name in affixes]
        if model.ignore_merges and (lost := unreachable(model)):
            what = f"{len(lost)} tokens (such as {lost[0]!r}) come out in parts: no merge yields them"
            losses.append(Loss("model.ignore_merges", what, "the compact format finds whole tokens first"))
        return BpeModel(tokens, _merges(model), model.byte_fallback, False)
    if isinstance(model, models.WordPiece):
        return WordPieceModel(tokens, model.unk_token, model.continuing_subword_prefix, model.max_input_chars_per_word)
    if isinstance(model, models.Unigram):
        scores = dict(enumerate(score for _, score in model.vocab))
        entries = [(text, number, scores.get(number, -1e9)) for text, number in tokens]
        return UnigramModel(entries, model.unk_id or 0, model.byte_fallback)
    raise SpecError(
        f"a {type(model).__name__} model has no counterpart in .mtok; sentencepiece BPE models go into type 0",
        field="model",
    )


def _merges(model: models.BPE) -> list[tuple[int, int, int]]:
    """Return merges by id, sorted as the readers search; a repeated pair keeps the rank `tokenizers` gives it."""
    vocab = model.vocab
    ranks = {(vocab[left], vocab[right]): rank for rank, (left, right) in enumerate(model.merges)}
    return sorted((left, right, rank) for (left, right), rank in ranks.items())


def _marker_pipeline(form: MarkerForm, spec: Spec, losses: list[Loss]) -> tuple[Node, Node]:
    """Translate the SentencePiece-style pipelines, cutting at blanks where that is equal, for speed."""
    if form.first_only:
        what = "▁ is put before every part between added tokens, not only at the start of the text"
        losses.append(Loss("pre_tokenizer.prepend_scheme", what, "the compact format keeps it"))
    metaspace = make(PRE_TOKENIZERS, "metaspace", MARKER, int(form.prepend and form.unless_marked))
    blank = NONE
    if form.prepend and not form.unless_marked:
        blank = make(NORMALIZERS, "prepend", " ")
    joiners = _joiners([text for text, _ in model_tokens(spec)])
    if form.split:
        pattern = " [^ ]*|[^ ]+"
    elif joiners is None:
        what = "tokens hold ▁ between other characters, so the whole text is one piece: slow on long texts"
        losses.append(Loss("model.vocab", what, kind="note"))
        return blank, metaspace
    else:
        pattern = before_blanks(joiners)
    split = make(PRE_TOKENIZERS, "split", pattern, 0, 0)
    return blank, make(PRE_TOKENIZERS, "sequence", (split, metaspace))


def _joiners(tokens: list[str]) -> str | None:
    """Return the ASCII characters that follow a ▁ which follows something else; None if others do."""
    found = set()
    for token in tokens:
        marker = token.find(MARKER, 1)
        while marker > 0:
            after = token[marker + 1 : marker + 2]
            if token[marker - 1] != MARKER or token[:marker].strip(MARKER):
                if after == "" or (after != MARKER and not after.isascii()):
                    return None
                found.add(after)
            marker = token.find(MARKER, marker + 1)
    return "".join(sorted(found - {MARKER}))


def _pre_tokenizer(node: pre_tokenizers.PreTokenizer | None, options: Options, losses: list[Loss]) -> Node:
    """Translate the pre-tokenizers one by one."""
    out: list[Node] = []
    for step in flat_pre_tokenizers(node):
        out += _pre_tokenizer_step(step, options, losses)
    if len(out) == 1:
        return out[0]
    return make(PRE_TOKENIZERS, "sequence", tuple(out)) if out else NONE


def _pre_tokenizer_step(step: pre_tokenizers.PreTokenizer, options: Options, losses: list[Loss]) -> list[Node]:
    """Translate one pre-tokenizer into one or more nodes."""
    if isinstance(step, pre_tokenizers.ByteLevel):
        space = [make(PRE_TOKENIZERS, "metaspace", " ", 1)] if step.add_prefix_space else []
        return [*space, make(PRE_TOKENIZERS, "byte-level", int(step.use_regex))]
    if isinstance(step, pre_tokenizers.Split):
        behaviour = {"Isolated": 0, "Removed": 1, "MergedWithPrevious": 2}.get(step.behavior)
        if behaviour is None:
            what = f"Split with behavior {step.behavior} keeps its matches apart instead"
            losses.append(Loss("pre_tokenizer.behavior", what, "the compact format keeps it"))
        pattern = _pattern(step.pattern, options, losses)
        return [make(PRE_TOKENIZERS, "split", pattern, int(step.invert), behaviour or 0)]
    if isinstance(step, pre_tokenizers.Digits):  # the readers' own Digits knows ASCII only
        return [make(PRE_TOKENIZERS, "split", r"\p{N}" if step.individual_digits else r"\p{N}+", 0, 0)]
    if isinstance(step, pre_tokenizers.BertPreTokenizer):
        return [make(PRE_TOKENIZERS, "bert")]
    if isinstance(step, pre_tokenizers.WhitespaceSplit):
        return [make(PRE_TOKENIZERS, "split", r"\s+", 0, 1)]
    if isinstance(step, pre_tokenizers.Whitespace):
        return [make(PRE_TOKENIZERS, "split", r"[\w\p{M}]+|[^\w\s\p{M}]+", 1, 1)]
    if isinstance(step, pre_tokenizers.Punctuation) and step.behavior == "Isolated":
        return [make(PRE_TOKENIZERS, "split", r"[\p{P}$+<=>^`|~]", 0, 0)]
    if isinstance(step, pre_tokenizers.CharDelimiterSplit):
        return [make(PRE_TOKENIZERS, "split", quote(step.delimiter), 0, 1)]
    if isinstance(step, pre_tokenizers.Metaspace):
        return _metaspace(step)
    losses.append(Loss("pre_tokenizer", f"{type(step).__name__} is left out", "the compact format keeps it"))
    return []


def _metaspace(step: pre_tokenizers.Metaspace) -> list[Node]:
    """Translate Metaspace: cut before blanks, then mark them."""
    mark = make(PRE_TOKENIZERS, "metaspace", step.replacement, int(step.prepend_scheme != "never"))
    return [make(PRE_TOKENIZERS, "split", " [^ ]*|[^ ]+", 0, 0), mark] if step.split else [mark]


def _pattern(pattern: Pattern, options: Options, losses: list[Loss]) -> str:
    """Translate a pattern for the readers' engine."""
    if not pattern.regex:
        return quote(pattern.text)
    text = limit_runs(pattern.text) if options.cap_runs else pattern.text
    if text != pattern.text:
        what = f"runs of letters are cut after {RUN_LIMIT}; the readers need minutes for long ones"
        losses.append(Loss("pre_tokenizer.pattern", what, "cap_runs=False keeps them whole", "note"))
    return text


def _decoder(spec: Spec, losses: list[Loss]) -> Node:
    """Translate the decoder."""
    if spec.decoder is None:
        return make(DECODERS, "byte-level") if is_byte_level(spec) else make(DECODERS, "sequence", ())
    return _decoder_node(spec.decoder, losses)


def _decoder_node(step: decoders.Decoder, losses: list[Loss]) -> Node:
    """Translate one decoder."""
    if isinstance(step, decoders.Sequence):
        return make(DECODERS, "sequence", tuple(_decoder_node(child, losses) for child in step.decoders))
    if isinstance(step, decoders.ByteLevel):
        return make(DECODERS, "byte-level")
    if isinstance(step, decoders.ByteFallback):
        return make(DECODERS, "byte-fallback")
    if isinstance(step, decoders.Fuse):
        return make(DECODERS, "fuse")
    if isinstance(step, decoders.Metaspace):
        return make(DECODERS, "metaspace", step.replacement, int(step.prepend_scheme != "never"))
    if isinstance(step, decoders.WordPiece):
        return make(DECODERS, "wordpiece", step.prefix, int(step.cleanup))
    if isinstance(step, decoders.Replace) and not step.pattern.regex:
        return make(DECODERS, "replace", step.pattern.text, step.content)
    if isinstance(step, decoders.Strip):
        return make(DECODERS, "strip", step.content, step.start, step.stop)
    losses.append(Loss("decoder", f"{type(step).__name__} is left out", "decode in the app", "text"))
    return make(DECODERS, "sequence", ())
