"""Spec -> tokenizer.json, which Hugging Face `tokenizers` loads with equal ids.

A sentencepiece model, which has no counterpart among tokenizer.json's
components, is first rebuilt from them by `hf_form`.
"""

from __future__ import annotations

import json

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import (
    AddedToken,
    Pattern,
    Spec,
    decoders,
    models,
    normalizers,
    post_processors,
    pre_tokenizers,
)
from vocab_converters._facts import MARKER, Loss, hole_name, id_table, model_tokens, surroundings
from vocab_converters.emulate._merge import merge
from vocab_converters.mnn_text import BYTE, CONTROL, NORMAL, UNKNOWN, USER_DEFINED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write_json(spec: Spec) -> tuple[bytes, list[Loss]]:
    """Return the bytes of a tokenizer.json and what it does not hold.

    A BOS or EOS that only the configuration asks for is put into the
    post-processor, so that the one file gives the ids that two gave.

    Raises:
        SpecError: a sentencepiece model of a kind without counterpart (word, char).
    """
    losses: list[Loss] = []
    spec = _with_stable_ids(with_surroundings(hf_form(spec, losses)))
    if spec.config.chat_templates:
        losses.append(Loss("config", "the chat template belongs into tokenizer_config.json", kind="data"))
    data = json.dumps(to_plain(spec), ensure_ascii=False, indent=2)
    return data.encode("utf-8", "surrogatepass"), losses


def _with_stable_ids(spec: Spec) -> Spec:
    """Make sure that `tokenizers` gives added tokens the ids they have.

    It ignores the ids in the file: a token of the vocabulary has its id there,
    any other the next free one. Where that is not the id wanted, the token
    and stand-ins for the ids before it go into the vocabulary.

    Raises:
        SpecError: a Unigram model, whose vocabulary has no room for holes.
    """
    model = spec.model
    known = dict(model_tokens(spec))
    following = len(known)
    stable = True
    for token in sorted(spec.added_tokens, key=lambda token: token.id):
        number = known.get(token.content)
        if number is None:
            number, following = following, following + 1
        stable = stable and number == token.id
    if stable:
        return spec
    if not isinstance(model, (models.BPE, models.WordLevel, models.WordPiece)):
        raise SpecError("the ids of added tokens leave holes, which this model cannot fill", field="added_tokens")
    vocab = dict(known)
    for number, text in enumerate(id_table(spec)):
        vocab[hole_name(number, known) if text is None else text] = number
    return spec.replace(model=model.replace(vocab=vocab))


def to_plain(spec: Spec) -> dict[str, Any]:
    """Return a spec as tokenizer.json's object."""
    truncation = None
    if spec.truncation is not None:
        truncation = {
            name: getattr(spec.truncation, name) for name in ("direction", "max_length", "strategy", "stride")
        }
    return {
        "version": "1.0",
        "truncation": truncation,
        "padding": _padding(spec),
        "added_tokens": [
            {
                "id": token.id,
                "content": token.content,
                "single_word": token.single_word,
                "lstrip": token.lstrip,
                "rstrip": token.rstrip,
                "normalized": token.normalized,
                "special": token.special,
            }
            for token in sorted(spec.added_tokens, key=lambda token: token.id)
        ],
        "normalizer": _component(spec.normalizer),
        "pre_tokenizer": _component(spec.pre_tokenizer),
        "post_processor": _component(spec.post_processor),
        "decoder": _component(spec.decoder),
        "model": _model(spec.model),
    }


def _padding(spec: Spec) -> dict[str, Any] | None:
    """Return the padding section."""
    padding = spec.padding
    if padding is None:
        return None
    plain = {name: getattr(padding, name) for name in padding._fields if name != "fixed"}
    return {"strategy": "BatchLongest" if padding.fixed is None else {"Fixed": padding.fixed}, **plain}


def _component(component: Record | None) -> dict[str, Any] | None:
    """Return a component by its class name and fields, which are tokenizer.json's own."""
    if component is None:
        return None
    if isinstance(component, post_processors.TemplateProcessing):
        return _template(component)
    plain: dict[str, Any] = {"type": type(component).__name__}
    for name in component._fields:
        plain[name] = _value(getattr(component, name))
    return plain


def _value(value: Any) -> Any:
    """Return a field's value as JSON."""
    if isinstance(value, Pattern):
        return {"Regex" if value.regex else "String": value.text}
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Record):
        return _component(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return value


def _template(template: post_processors.TemplateProcessing) -> dict[str, Any]:
    """Return a TemplateProcessing."""

    def pieces(items: tuple[post_processors.TemplatePiece, ...]) -> list[dict[str, Any]]:
        return [
            {"SpecialToken" if item.special else "Sequence": {"id": item.id, "type_id": item.type_id}} for item in items
        ]

    special = {
        name: {"id": name, "ids": list(ids), "tokens": list(tokens)} for name, ids, tokens in template.special_tokens
    }
    plain = {"single": pieces(template.single), "pair": pieces(template.pair), "special_tokens": special}
    return {"type": "TemplateProcessing", **plain}


def _model(model: models.Model) -> dict[str, Any]:
    """Return the model section."""
    plain: dict[str, Any] = {"type": type(model).__name__}
    for name in model._fields:
        plain[name] = getattr(model, name)
    if isinstance(model, (models.BPE, models.WordLevel, models.WordPiece)):
        plain["vocab"] = dict(sorted(model.vocab.items(), key=lambda item: item[1]))
    if isinstance(model, models.BPE):
        plain["merges"] = [list(pair) for pair in model.merges]
    elif isinstance(model, models.Unigram):
        plain["vocab"] = [[piece, score] for piece, score in model.vocab]
    return plain


def with_surroundings(spec: Spec) -> Spec:
    """Move the configuration's BOS and EOS into the post-processor."""
    config = spec.config
    if not config.add_bos and not config.add_eos:
        return spec
    before, after = surroundings(spec)
    texts = {token.id: token.content for token in spec.added_tokens}
    for name in (config.bos_token, config.eos_token):
        if name is not None and name not in texts.values() and isinstance(spec.model, models.BPE):
            texts[spec.model.vocab[name]] = name
    template = _around(before, after, texts)
    own = spec.post_processor
    kept = isinstance(own, post_processors.ByteLevel)
    post = post_processors.Sequence((own, template)) if kept and own is not None else template
    return spec.replace(post_processor=post, config=config.replace(add_bos=False, add_eos=False))


def _around(before: tuple[int, ...], after: tuple[int, ...], texts: dict[int, str]) -> post_processors.PostProcessor:
    """Build a template that puts ids around one text, and around each of two."""
    piece = post_processors.TemplatePiece
    first = [piece(texts[number], special=True) for number in before]
    last = [piece(texts[number], special=True) for number in after]
    single = (*first, piece("A", special=False), *last)
    second = [part.replace(type_id=1) for part in (*first, piece("B", special=False), *last)]
    names = dict.fromkeys((*before, *after))
    special = tuple((texts[number], (number,), (texts[number],)) for number in names)
    return post_processors.TemplateProcessing(single, (*single, *second), special)


# ------------------------------------------------------------ sentencepiece models


def hf_form(spec: Spec, losses: list[Loss] | None = None) -> Spec:
    """Return an equal spec made of tokenizer.json's components; specs that are so already come back as they are.

    Control pieces do not become added tokens, because sentencepiece does not
    look for them in a text; user-defined pieces do. `losses` is told what the
    components cannot do.
    """
    model = spec.model
    if not isinstance(model, models.SentencePiece):
        return spec
    losses = [] if losses is None else losses
    added = _user_defined(model)
    if not _by_metaspace(model) and not model.add_dummy_prefix:
        unmade = _unmade(model)
        added += unmade
        if _overlap([token.content for token in unmade]):
            what = (
                "pieces that overlap in a text, such as flags in a row, are found from the left and not by their scores"
            )
            losses.append(Loss("model.pieces", what, "keep the .model file"))
    return spec.replace(
        model=_rebuilt(model),
        added_tokens=(*spec.added_tokens, *added),
        normalizer=_sp_normalizer(model, losses),
        pre_tokenizer=_sp_pre_tokenizer(model),
        decoder=_sp_decoder(model),
    )


def _user_defined(model: models.SentencePiece) -> list[AddedToken]:
    """Return the pieces that sentencepiece finds whole in the normalized text."""
    return [
        AddedToken(number, text, normalized=MARKER in text)
        for number, (text, _, kind) in enumerate(model.pieces)
        if kind == USER_DEFINED
    ]


def _unmade(model: models.SentencePiece) -> list[AddedToken]:
    """Return the pieces that no merge of two pieces yields, such as an emoji with a skin tone.

    Sentencepiece merges any two characters whose concatenation is a piece;
    `tokenizers` wants both to be pieces. As added tokens they are found whole.
    """
    if model.model_type != "bpe":
        return []
    scores = {text: -score for text, score, kind in model.pieces if kind == NORMAL}

    def lookup(left: str, right: str) -> tuple[float, str] | None:
        rank = scores.get(left + right)
        return None if rank is None else (rank, left + right)

    found = []
    for number, (text, _, kind) in enumerate(model.pieces):
        if kind != NORMAL or len(text) < 2 or MARKER in text:
            continue
        cuts = any(text[:at] in scores and text[at:] in scores for at in range(1, len(text)))
        if not cuts and merge(list(text), lookup) == [text]:
            found.append(AddedToken(number, text, normalized=False))
    return found


def _overlap(texts: list[str]) -> bool:
    """Tell whether an end of one text is the beginning of another."""
    starts = {text[:size] for text in texts for size in range(1, len(text))}
    return any(text[-size:] in starts for text in texts for size in range(1, len(text)))


def _rebuilt(model: models.SentencePiece) -> models.Model:
    """Return a model with the same pieces."""
    unknown = next((number for number, (_, _, kind) in enumerate(model.pieces) if kind == UNKNOWN), None)
    if model.model_type == "unigram":
        lowest = min((score for _, score, kind in model.pieces if kind == NORMAL), default=0.0)
        vocab = [(text, score if kind == NORMAL else lowest - 100.0) for text, score, kind in model.pieces]
        return models.Unigram(vocab, unknown, model.byte_fallback)
    if model.model_type != "bpe":
        raise SpecError(f"a sentencepiece {model.model_type} model has no counterpart in tokenizer.json", field="model")
    return models.BPE(
        {text: number for number, (text, _, _) in enumerate(model.pieces)},
        merges_by_score(model),
        unk_token=None if unknown is None else model.pieces[unknown][0],
        fuse_unk=True,
        byte_fallback=model.byte_fallback,
    )


def merges_by_score(model: models.SentencePiece) -> list[tuple[str, str]]:
    """Return the merges a BPE model's scores imply: all cuts of all pieces into two, best score first."""
    scores = {text: score for text, score, kind in model.pieces if kind == NORMAL}
    left_parts = {text for text, _, kind in model.pieces if kind not in (CONTROL, UNKNOWN, BYTE, USER_DEFINED)}
    found = []
    for number, (text, _, kind) in enumerate(model.pieces):
        if kind == NORMAL:
            for at in range(1, len(text)):
                left, right = text[:at], text[at:]
                if left in left_parts and right in left_parts:
                    found.append((-scores[text], number, at, left, right))
    found.sort()
    return [(left, right) for _, _, _, left, right in found]


def _by_metaspace(model: models.SentencePiece) -> bool:
    """Tell whether the ▁ in front must come from Metaspace.

    A normalizer would put one behind every user-defined piece as well,
    because `tokenizers` normalizes what lies between added tokens.
    """
    return model.add_dummy_prefix and any(kind == USER_DEFINED for _, _, kind in model.pieces)


def _sp_normalizer(model: models.SentencePiece, losses: list[Loss]) -> normalizers.Normalizer | None:
    """Return what sentencepiece does to a text, up to blanks becoming markers."""
    steps: list[normalizers.Normalizer] = []
    if model.precompiled_charsmap:
        steps.append(normalizers.Precompiled(model.precompiled_charsmap))
    if model.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Pattern(" {2,}", regex=True), " ")]
    if model.treat_whitespace_as_suffix or not model.escape_whitespaces:
        losses.append(Loss("model", "blanks as suffixes or unescaped have no counterpart", "keep the .model file"))
    if not _by_metaspace(model):
        steps += [normalizers.Prepend(MARKER)] if model.add_dummy_prefix else []
        steps.append(normalizers.Replace(Pattern(" "), MARKER))
    else:
        what = "a text that begins with a blank gets no second one in front"
        losses.append(Loss("model.add_dummy_prefix", what, "keep the .model file"))
    return steps[0] if len(steps) == 1 else normalizers.Sequence(tuple(steps)) if steps else None


def _sp_pre_tokenizer(model: models.SentencePiece) -> pre_tokenizers.PreTokenizer | None:
    """Return what marks blanks where the normalizer cannot."""
    if not _by_metaspace(model):
        return None
    return pre_tokenizers.Metaspace(MARKER, "first", split=False)


def _sp_decoder(model: models.SentencePiece) -> decoders.Decoder:
    """Return the decoder: markers to blanks, bytes, without the leading blank."""
    steps: list[decoders.Decoder] = [decoders.Replace(Pattern(MARKER), " "), decoders.ByteFallback(), decoders.Fuse()]
    if model.add_dummy_prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return decoders.Sequence(tuple(steps))
