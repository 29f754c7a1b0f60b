"""The components of a tokenizer, each made from its spec when first asked for, and how they are wired."""

from __future__ import annotations

from tokenizers_lite.added import AddedTokens, parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tokenizers_lite._decoding import Decoding
    from tokenizers_lite._marked import MarkedTexts
    from tokenizers_lite.added import Skip
    from tokenizers_lite.decoders import Decoder
    from tokenizers_lite.decoders.plan import BytePlan
    from tokenizers_lite.models import Model
    from tokenizers_lite.models.bpe import BPE
    from tokenizers_lite.models.sentencepiece import SentencePiece
    from tokenizers_lite.normalizers import Normalizer
    from tokenizers_lite.pipeline import Part, Pipeline
    from tokenizers_lite.post_processors import Frame, PostProcessor
    from tokenizers_lite.pre_tokenizers import PreTokenizer
    from tokenizers_lite.spec import Spec

# Texts of up to so many characters are remembered, so many of them.
_SHORT, _RECENT = 64, 1 << 12
# Texts of this many characters may go in one piece (`_marked`).
_MARKED_LENGTH = 2000
# What a tokenizer that is not opened by need makes at once, so that a bad spec is refused at once.
_CHECKED = ("engine", "model", "normalizer", "added", "pre_tokenizer", "post_processor", "decoder")


class Components:
    """What a tokenizer is made of.

    Args:
        spec: the tokenizer.
        start: the hints of a compact file (`formats.compact.open_quick`); with
            them nothing is made before it is needed. None makes and so checks
            what encoding and decoding stand on.

    Raises:
        SpecError: a component of the spec is unknown or contradicts another.
    """

    added: AddedTokens
    byte_plan: BytePlan | None
    decoder: Decoder
    decoding: Decoding
    # A sentencepiece model does everything from text to ids itself.
    engine: SentencePiece | None
    # Ids that post-processing puts around a single text, None if it repeats or drops the text.
    frame: Frame | None
    # Encodes long texts whose added tokens are marks, None where components do not allow it.
    marked: MarkedTexts | None
    model: Model
    needs_origins: bool
    normalize: Callable[[str], str] | None
    normalizer: Normalizer | None
    pipeline: Pipeline
    post_processor: PostProcessor
    pre_tokenizer: PreTokenizer | None
    # Ids of short texts that were encoded lately, None where they may differ each time.
    recent: dict[str, list[int]] | None
    special_ids: frozenset[int]
    vocab_size: int

    def __init__(self, spec: Spec, start: Mapping[str, Any] | None = None) -> None:
        self.spec = spec
        self.start = start or {}
        if start is None:
            for name in _CHECKED:
                getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        """Make a component when it is first asked for; threads that race make the same one twice, harmlessly."""
        make = _MAKERS.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = self.__dict__[name] = make(self)
        return value

    def ids(self, text: str, skip: Skip | None) -> list[int]:
        """Return the ids of a text without what post-processing adds."""
        if len(text) <= _SHORT and skip is None and self.recent is not None:
            found = self.recent.get(text)
            if found is None:
                found = self._ids(text, None)
                if len(self.recent) >= _RECENT:
                    self.recent.clear()
                self.recent[text] = found
            return found.copy()
        return self._ids(text, skip)

    def _ids(self, text: str, skip: Skip | None) -> list[int]:
        if not text:
            return []
        if self.engine is not None:
            return self.engine.encode(text)
        if self.needs_origins:
            from tokenizers_lite._alignment import aligned

            return list(aligned(self, text, 0, skip).ids)
        if skip is None and len(text) >= _MARKED_LENGTH and self.marked is not None:
            found = self.marked.encode(text)
            if found is not None:
                return found
        return self.pipeline.encode(self.normalized_parts(text, skip))

    def ids_of_each(self, texts: list[str], skip: Skip | None) -> list[list[int]]:
        """Return the same for each text."""
        if len(texts) == 1 or self.engine is not None or self.needs_origins:
            return [self.ids(text, skip) for text in texts]
        found = self.marked.encode_many(texts) if skip is None and self.marked is not None else None
        if found is not None:
            return found
        return self.pipeline.encode_many([self.normalized_parts(text, skip) if text else [] for text in texts])

    def normalized_parts(self, text: str, skip: Skip | None) -> list[Part]:
        """Return the texts between added tokens, normalized, and the ids of the latter."""
        found: list[Part] = []
        normalize, normalized = self.normalize, self.added.normalized
        first = True
        for raw in parts(text, self.added.raw, skip):
            if isinstance(raw, int):
                found.append(raw)
            elif part := raw if normalize is None else normalize(raw):
                # (A model may have a token for the empty piece, but never gets to see one.)
                if not normalized.tokens:
                    found.append((part, first))
                else:
                    inner = parts(part, normalized, skip)
                    found += [
                        (item, first and not at) if isinstance(item, str) else item for at, item in enumerate(inner)
                    ]
            first = False
        return found

    def token_of(self, id_: int) -> str | None:
        """Return the text of an id, None if there is none."""
        added = self.added.text_of.get(id_)
        return self.model.id_to_token(id_) if added is None else added

    def id_of(self, token: str | None) -> int | None:
        """Return the id of a token text, None if there is none."""
        if token is None:
            return None
        added = self.added.by_content.get(token)
        return self.model.token_to_id(token) if added is None else added.id


def _make_engine(components: Components) -> SentencePiece | None:
    model = components.spec.model
    if type(model).__name__ != "SentencePiece":
        return None
    from tokenizers_lite.models.sentencepiece import build

    return build(model)  # type: ignore[arg-type]


def _make_model(components: Components) -> Any:
    if components.engine is not None:
        return components.engine
    from tokenizers_lite.models import build

    return build(components.spec.model)


def _make_normalizer(components: Components) -> Normalizer | None:
    if components.spec.normalizer is None:
        return None
    from tokenizers_lite.normalizers import build

    return build(components.spec.normalizer)


def _make_normalize(components: Components) -> Callable[[str], str] | None:
    """Return the normalizer's function; if it leaves ASCII alone, it is not even built for ASCII."""
    kind = components.start.get("normalizer")
    if kind == "none":
        return None
    if isinstance(kind, list):
        return _rewriter(kind)
    if kind in ("bert", "bert lower"):
        from tokenizers_lite import _ascii_words

        def otherwise(text: str) -> str:
            return components.normalizer.normalize(text)  # type: ignore[union-attr]

        return _ascii_words.normalizer(kind == "bert lower", otherwise)
    if kind != "ascii":
        return components.normalizer.normalize if components.normalizer else None
    return lambda text: (
        text if text.isascii() or components.normalizer is None else components.normalizer.normalize(text)
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


def _make_pre_tokenizer(components: Components) -> PreTokenizer | None:
    if components.spec.pre_tokenizer is None:
        return None
    from tokenizers_lite.pre_tokenizers import build

    return build(components.spec.pre_tokenizer)


def _make_needs_origins(components: Components) -> bool:
    """Whether ids depend on where in the input each character comes from.

    So it is if a pre-tokenizer asks where its text starts and a normalizer may
    move that, or if one may put characters of no origin first, which tokenizers
    then rewrites oddly.
    """
    if not {"splits", "joined", "words"}.isdisjoint(components.start):
        return False
    if components.normalizer is None or components.pre_tokenizer is None:
        return False
    return components.pre_tokenizer.by_origin or getattr(components.normalizer, "loses_origin", False)


def _make_pipeline(components: Components) -> Pipeline:
    """Return the fastest pipeline that is exact for these components."""
    if components.start.get("words") == "bert":
        from tokenizers_lite._ascii_words import AsciiFirst

        return AsciiFirst(components.model, lambda: _general(components))
    from tokenizers_lite.pipeline import ByteIds, ByteLevelBPE, CutBPE, byte_symbols, joined_characters

    spec, model, start = components.spec, components.model, components.start
    if type(spec.model).__name__ != "BPE" or spec.model.dropout or model.affixes:  # type: ignore[attr-defined]
        return _general(components)
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
        return CutBPE(components.pre_tokenizer, bpe, joined)
    return _general(components)


def _make_marked(components: Components) -> MarkedTexts | None:
    pipeline = components.pipeline
    if type(pipeline).__name__ != "CutBPE":
        return None
    from tokenizers_lite._marked import marked_texts

    return marked_texts(components.added, components.spec.normalizer, pipeline)  # type: ignore[arg-type]


def _general(components: Components) -> Pipeline:
    from tokenizers_lite.pipeline import General

    return General(components.pre_tokenizer, components.model)


def _byte_level_splitter(spec: Spec) -> PreTokenizer | None:
    from tokenizers_lite.pre_tokenizers import byte_level_splitter

    return byte_level_splitter(spec.pre_tokenizer)


def _make_post_processor(components: Components) -> PostProcessor:
    from tokenizers_lite._bos_eos import effective_post_processor
    from tokenizers_lite.post_processors import build

    return build(effective_post_processor(components.spec, components.id_of))


def _make_frame(components: Components) -> Frame | None:
    """Return the ids that post-processing puts before and after a single text, None if it repeats or drops it."""
    if "frame" in components.start:
        before, after = components.start["frame"]
        return tuple(before), tuple(after)
    from tokenizers_lite.errors import SpecError

    try:
        return components.post_processor.frame
    except SpecError:  # raised again when special tokens are to be added
        return None


def _make_decoder(components: Components) -> Decoder:
    from tokenizers_lite.decoders import build

    return build(components.spec.decoder)


def _make_decoding(components: Components) -> Decoding:
    from tokenizers_lite._decoding import Decoding

    return Decoding(components)


def _make_vocab_size(components: Components) -> int:
    model = components.model
    return model.vocab_size + sum(model.token_to_id(content) is None for content in components.added.by_content)


_MAKERS: dict[str, Callable[[Components], Any]] = {
    "added": lambda components: AddedTokens(components.spec.added_tokens, components.normalize),
    "byte_plan": lambda components: components.decoder.byte_plan(),
    "decoder": _make_decoder,
    "decoding": _make_decoding,
    "engine": _make_engine,
    "frame": _make_frame,
    "marked": _make_marked,
    "model": _make_model,
    "needs_origins": _make_needs_origins,
    "normalize": _make_normalize,
    "normalizer": _make_normalizer,
    "pipeline": _make_pipeline,
    "post_processor": _make_post_processor,
    "pre_tokenizer": _make_pre_tokenizer,
    "recent": lambda components: None if getattr(components.spec.model, "dropout", None) else {},
    "special_ids": lambda components: frozenset(t.id for t in components.spec.added_tokens if t.special),
    "vocab_size": _make_vocab_size,
}
