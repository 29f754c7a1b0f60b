"""The parts of a tokenizer, each made from its spec when first asked for."""

from __future__ import annotations

from tokenizers_lite.added import AddedTokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tokenizers_lite.decoders import Decoder
    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.models.sentencepiece import SentencePiece
    from tokenizers_lite.normalizers import Normalizer
    from tokenizers_lite.pipeline import Pipeline
    from tokenizers_lite.post_processors import PostProcessor
    from tokenizers_lite.pre_tokenizers import PreTokenizer
    from tokenizers_lite.spec import Spec
    from tokenizers_lite.spec.post_processors import TemplatePiece
    from tokenizers_lite.tokenizer import Tokenizer

    Frame = tuple[tuple[int, ...], tuple[int, ...]]


def _make_engine(tokenizer: Tokenizer) -> SentencePiece | None:
    model = tokenizer.spec.model
    if type(model).__name__ != "SentencePiece":
        return None
    from tokenizers_lite.models.sentencepiece import build

    return build(model)  # type: ignore[arg-type]


def _make_model(tokenizer: Tokenizer) -> Any:
    if tokenizer._engine is not None:
        return tokenizer._engine
    from tokenizers_lite.models import build

    return build(tokenizer.spec.model)


def _make_normalizer(tokenizer: Tokenizer) -> Normalizer | None:
    if tokenizer.spec.normalizer is None:
        return None
    from tokenizers_lite.normalizers import build

    return build(tokenizer.spec.normalizer)


def _make_normalize(tokenizer: Tokenizer) -> Callable[[str], str] | None:
    """Return the normalizer's function; if it leaves ASCII alone, it is not even built for ASCII."""
    kind = tokenizer._start.get("normalizer")
    if kind == "none":
        return None
    if isinstance(kind, list):
        return _rewriter(kind)
    if kind in ("bert", "bert lower"):
        from tokenizers_lite import _ascii_words

        def otherwise(text: str) -> str:
            return tokenizer._normalizer.normalize(text)  # type: ignore[union-attr]

        return _ascii_words.normalizer(kind == "bert lower", otherwise)
    if kind != "ascii":
        return tokenizer._normalizer.normalize if tokenizer._normalizer else None
    return lambda text: (
        text if text.isascii() or tokenizer._normalizer is None else tokenizer._normalizer.normalize(text)
    )


def _rewriter(steps: list[list[str]]) -> Callable[[str], str]:
    """Return what Prepend (a step of one text) and Replace with a literal pattern (two texts) do in a row."""

    def normalize(text: str) -> str:
        for step in steps:
            if len(step) == 2:
                text = text.replace(step[0], step[1])
            elif text:
                text = step[0] + text
        return text

    return normalize


def _make_pre_tokenizer(tokenizer: Tokenizer) -> PreTokenizer | None:
    if tokenizer.spec.pre_tokenizer is None:
        return None
    from tokenizers_lite.pre_tokenizers import build

    return build(tokenizer.spec.pre_tokenizer)


def _make_needs_origins(tokenizer: Tokenizer) -> bool:
    """Whether ids depend on where in the input each character comes from.

    So it is if a pre-tokenizer asks where its text starts and a normalizer may
    move that, or if one may put characters of no origin first, which tokenizers
    then rewrites oddly.
    """
    if not {"splits", "joined", "words"}.isdisjoint(tokenizer._start):
        return False
    if tokenizer._normalizer is None or tokenizer._pre_tokenizer is None:
        return False
    return tokenizer._pre_tokenizer.by_origin or getattr(tokenizer._normalizer, "loses_origin", False)


def _make_pipeline(tokenizer: Tokenizer) -> Pipeline:
    """Return the fastest pipeline that is exact for these components."""
    if tokenizer._start.get("words") == "bert":
        from tokenizers_lite._ascii_words import AsciiFirst

        return AsciiFirst(tokenizer._model, lambda: _general(tokenizer))
    from tokenizers_lite.pipeline import ByteIds, ByteLevelBPE, CutBPE, byte_symbols, joined_characters

    spec, model, start = tokenizer.spec, tokenizer._model, tokenizer._start
    if type(spec.model).__name__ != "BPE" or spec.model.dropout or model.affixes:  # type: ignore[attr-defined]
        return _general(tokenizer)
    bpe: BPE = model  # type: ignore[assignment]
    if "splits" in start:
        from tokenizers_lite._automaton import Automaton, chain

        quick = chain([Automaton(*row) for row in start["splits"]])
        return ByteLevelBPE(lambda: _byte_level_splitter(spec), bpe, ByteIds(bpe), quick)  # type: ignore[arg-type,return-value]
    if spec.pre_tokenizer is not None and "joined" not in start:
        splitter = _byte_level_splitter(spec)
        symbols = byte_symbols(bpe) if splitter is not None else None
        if splitter is not None and symbols is not None:
            return ByteLevelBPE(lambda: splitter, bpe, symbols)
    joined = start["joined"] if "joined" in start else joined_characters(bpe)
    if joined is not None:
        return CutBPE(tokenizer._pre_tokenizer, bpe, joined)
    return _general(tokenizer)


def _general(tokenizer: Tokenizer) -> Pipeline:
    from tokenizers_lite.pipeline import General

    return General(tokenizer._pre_tokenizer, tokenizer._model)


def _byte_level_splitter(spec: Spec) -> PreTokenizer | None:
    from tokenizers_lite.pre_tokenizers import byte_level_splitter

    return byte_level_splitter(spec.pre_tokenizer)


def _make_post_processor(tokenizer: Tokenizer) -> PostProcessor:
    from tokenizers_lite.post_processors import build

    return build(_effective_post_processor(tokenizer.spec, tokenizer._config_id))


def _make_frame(tokenizer: Tokenizer) -> Frame | None:
    """Return the ids that post-processing puts before and after a single text, None if it repeats or drops it."""
    if "frame" in tokenizer._start:
        before, after = tokenizer._start["frame"]
        return tuple(before), tuple(after)
    from tokenizers_lite.errors import SpecError

    try:
        return tokenizer._post_processor.frame
    except SpecError:  # raised again when special tokens are to be added
        return None


def _make_decoder(tokenizer: Tokenizer) -> Decoder:
    from tokenizers_lite.decoders import build

    return build(tokenizer.spec.decoder)


def _make_vocab_size(tokenizer: Tokenizer) -> int:
    model = tokenizer._model
    return model.vocab_size + sum(model.token_to_id(content) is None for content in tokenizer._added.by_content)


PARTS: dict[str, Callable[[Tokenizer], Any]] = {
    "_added": lambda tokenizer: AddedTokens(tokenizer.spec.added_tokens, tokenizer._normalize),
    "_byte_plan": lambda tokenizer: tokenizer._decoder.byte_plan(),
    "_decoder": _make_decoder,
    "_engine": _make_engine,
    "_frame": _make_frame,
    "_model": _make_model,
    "_needs_origins": _make_needs_origins,
    "_normalize": _make_normalize,
    "_normalizer": _make_normalizer,
    "_pipeline": _make_pipeline,
    "_post_processor": _make_post_processor,
    "_pre_tokenizer": _make_pre_tokenizer,
    "_skipped_ids": lambda tokenizer: frozenset(
        id_ for id_, text in tokenizer._added.text_of.items() if text in tokenizer._added.special_contents
    ),
    "special_ids": lambda tokenizer: frozenset(t.id for t in tokenizer.spec.added_tokens if t.special),
    "vocab_size": _make_vocab_size,
}


def _effective_post_processor(spec: Spec, id_of: Callable[[str | None], int | None]) -> Any:
    """Return the post-processor with the BOS and EOS that transformers 4 adds by configuration.

    transformers 4 (`LlamaTokenizerFast.update_post_processor`) replaces the
    post-processor by a template made of `add_bos_token` and `add_eos_token`.
    """
    config = spec.config
    bos = config.bos_token if config.add_bos else None
    eos = config.eos_token if config.add_eos else None
    if bos is None and eos is None:
        return spec.post_processor
    from tokenizers_lite.errors import SpecError
    from tokenizers_lite.spec.post_processors import TemplatePiece, TemplateProcessing

    def sequence(name: str, type_id: int) -> tuple[TemplatePiece, ...]:
        pieces = []
        if bos is not None:
            pieces.append(TemplatePiece(bos, special=True, type_id=type_id))
        pieces.append(TemplatePiece(name, special=False, type_id=type_id))
        if eos is not None:
            pieces.append(TemplatePiece(eos, special=True, type_id=type_id))
        return tuple(pieces)

    tokens = []
    for token in (bos, eos):
        id_ = id_of(token)
        if token is not None:
            if id_ is None:
                raise SpecError("this token is to be added to every text but has no id", field="config", value=token)
            tokens.append((token, (id_,), (token,)))
    return TemplateProcessing(sequence("A", 0), sequence("A", 0) + sequence("B", 1), tuple(dict.fromkeys(tokens)))
