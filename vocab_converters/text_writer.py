"""Spec -> MNN's text vocabularies (430 types 0 to 3), as well as the readers allow."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import models
from vocab_converters._added import flag_losses, matched_as_special
from vocab_converters._facts import (
    MARKER,
    Loss,
    flat_normalizers,
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
from vocab_converters._header import BERT, HUGGINGFACE, SENTENCEPIECE, TIKTOKEN, Header
from vocab_converters.emulate._base import FROM_ALPHABET, MNN, MNN_LLM, NATIVE
from vocab_converters.emulate._text import QWEN
from vocab_converters.mnn_text import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    MergeVocab,
    SentencePieceVocab,
    TokenVocab,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenizers_lite.spec import AddedToken, Spec

# What the readers' own pre-tokenizer of type 3 is, in words.
_BUILT_IN = {
    MNN_LLM: "splits like GPT-2 in ASCII only and deletes every _",
    MNN: "splits like Qwen but knows only ASCII letters and digits",
    NATIVE: "splits with Qwen's pattern",
}


def write_text(spec: Spec, kind: int, reader: str) -> tuple[SentencePieceVocab | TokenVocab | MergeVocab, list[Loss]]:
    """Translate a spec into a text vocabulary.

    Args:
        spec: the tokenizer.
        kind: the type of the file, 0 to 3.
        reader: "mnn-llm", "native-llm" or "mnn"; type 0 comes in two dialects.

    Raises:
        SpecError: the type cannot hold this kind of model at all.
    """
    losses = flag_losses(spec)
    losses += _around_losses(spec) + _component_losses(spec)
    if kind == SENTENCEPIECE:
        return _sentencepiece(spec, reader, losses), losses
    if kind == TIKTOKEN:
        return _tiktoken(spec, losses), losses
    if kind == BERT:
        return _bert(spec, losses), losses
    if kind == HUGGINGFACE:
        return _huggingface(spec, reader, losses), losses
    raise SpecError("text vocabularies are of type 0 to 3", value=kind)


def _around_losses(spec: Spec) -> list[Loss]:
    """Name what the readers cannot add behind a text."""
    after = surroundings(spec)[1]
    if not after:
        return []
    return [Loss("post_processor", f"ids {after} behind the text are not added", "append them in the app")]


def _component_losses(spec: Spec) -> list[Loss]:
    """Name what no text vocabulary holds."""
    losses = []
    if spec.config.chat_templates:
        losses.append(Loss("config.chat_templates", "text vocabularies hold no template", "use .mtok", "data"))
    names = [type(step).__name__ for step in flat_normalizers(spec.normalizer)]
    if marker_form(spec) is None and any(name != "ByteLevel" for name in names):
        losses.append(Loss("normalizer", f"{', '.join(names)}: the readers do not normalize", "normalize in the app"))
    return losses


def _header(
    spec: Spec, kind: int, tokens: list[AddedToken], shown: Callable[[AddedToken], bool], losses: list[Loss]
) -> Header:
    """Build the header: specials longest first, stop ids, prefix ids."""
    listed, rest = matched_as_special(tokens, shown)
    flagged = [token for token in rest if token.content and shown(token)]  # better found without flags than not at all
    odd = [token.content for token in rest if token not in flagged]
    if odd:
        losses.append(Loss("added_tokens", f"{odd[:3]} cannot be found in a text", "use .mtok"))
    trimming = [token.content for token in flagged if token.lstrip or token.rstrip]
    if trimming:
        what = f"{trimming[:3]} do not swallow the white space beside them"
        losses.append(Loss("added_tokens.rstrip", what, "use .mtok"))
    order = sorted(listed + flagged, key=lambda token: -len(token.content.encode()))
    return Header(kind, tuple(token.id for token in order), stop_ids(spec), surroundings(spec)[0])


# ------------------------------------------------------------ type 0


def _sentencepiece(spec: Spec, reader: str, losses: list[Loss]) -> SentencePieceVocab:
    """Translate a SentencePiece-style BPE."""
    form = marker_form(spec)
    if form is None:
        raise SpecError("type 0 holds SentencePiece-style models only", field="model", value=type(spec.model).__name__)
    pieces = _model_pieces(spec) if isinstance(spec.model, models.SentencePiece) else _bpe_pieces(spec)
    _check_prefix(form.prepend, reader, losses)
    if reader == MNN_LLM:
        pieces = [(text.replace(MARKER, " "), score, kind) for text, score, kind in pieces]
    header = _header(spec, SENTENCEPIECE, list(spec.added_tokens), lambda token: _prints(pieces, token, reader), losses)
    if not header.special and reader != MNN_LLM:  # without a special token "" would become ▁
        header = header.replace(special=(len(pieces),))
        pieces.append((hole_name(len(pieces), {text for text, _, _ in pieces}), 0.0, UNUSED))
    if not any(kind == UNKNOWN for _, _, kind in pieces):  # else id 0 would be taken for unknown
        pieces.append((hole_name(len(pieces), {text for text, _, _ in pieces}), 0.0, UNKNOWN))
    return SentencePieceVocab(header, pieces)


def _check_prefix(prepend: bool, reader: str, losses: list[Loss]) -> None:
    """Name the leading ▁ that a reader adds although the model does not, or the other way round."""
    if prepend and reader == MNN_LLM:
        what = "no ▁ is put in front of the text"
        losses.append(Loss("normalizer", what, "send ' ' + text from the app, or use reader native-llm or mnn"))
    if not prepend and reader != MNN_LLM:
        what = "a ▁ is put in front of every part of the text"
        losses.append(Loss("normalizer", what, "use .mtok, which does not"))


def _prints(pieces: list[tuple[str, float, int]], token: AddedToken, reader: str) -> bool:
    """Tell whether type 0 prints an id as the added token's text."""
    text = pieces[token.id][0]
    if reader == MNN_LLM or MARKER not in text:
        return text == token.content
    return False  # a ▁ would print as a blank, and a blank would be looked for


def _model_pieces(spec: Spec) -> list[tuple[str, float, int]]:
    """Return the pieces of a sentencepiece model."""
    model = spec.model
    assert isinstance(model, models.SentencePiece)
    if model.model_type != "bpe":
        raise SpecError(
            "type 0 merges by score, which is not how this model works", field="model", value=model.model_type
        )
    made = {text for text, _, kind in model.pieces if kind == NORMAL}
    pieces = []
    for text, score, kind in model.pieces:
        if (
            kind == NORMAL
            and len(text) > 1
            and not any(text[:at] in made and text[at:] in made for at in range(1, len(text)))
        ):
            kind = USER_DEFINED  # noqa: PLW2901 - no merge yields it, so none must
        pieces.append((text, float(score), kind))
    return _with_added(spec, pieces)


def _bpe_pieces(spec: Spec) -> list[tuple[str, float, int]]:
    """Return pieces for merges by pair: a piece's score is that of its best merge."""
    model = spec.model
    assert isinstance(model, models.BPE)
    best: dict[str, int] = {}
    for rank, (left, right) in enumerate(model.merges):
        best.setdefault(left + right, rank)
    pieces = []
    for number, text in enumerate(id_table(spec)):
        if text is None or text not in model.vocab:
            pieces.append((text or hole_name(number, model.vocab), 0.0, UNUSED))
        elif text == model.unk_token:
            pieces.append((text, 0.0, UNKNOWN))
        elif _is_byte(text):
            pieces.append((text, 0.0, BYTE))
        elif len(text) == 1 or text in best:
            pieces.append((text, -float(best.get(text, 0)), NORMAL))
        else:
            pieces.append((text, 0.0, USER_DEFINED))
    return _with_added(spec, pieces)


def _with_added(spec: Spec, pieces: list[tuple[str, float, int]]) -> list[tuple[str, float, int]]:
    """Give added tokens their text and a type that no merge reaches."""
    known = {text for text, _, _ in pieces}
    size = max([len(pieces), *(token.id + 1 for token in spec.added_tokens)])
    pieces += [(hole_name(number, known), 0.0, UNUSED) for number in range(len(pieces), size)]
    for token in spec.added_tokens:
        _, score, kind = pieces[token.id]
        if kind in (UNUSED, USER_DEFINED):  # a piece that merges yield stays normal: Gemma's runs of ▁
            kind = CONTROL if token.special else USER_DEFINED
        pieces[token.id] = (token.content, score, kind)
    return pieces


def _is_byte(text: str) -> bool:
    """Tell whether a piece is ``<0xNN>``."""
    return len(text) == 6 and text[:3] == "<0x" and text[5] == ">" and all(c in "0123456789ABCDEF" for c in text[3:5])


# ------------------------------------------------------------ types 1, 2 and 3


def _tiktoken(spec: Spec, losses: list[Loss]) -> TokenVocab:
    """Write the bytes of each token; the readers take the longest that fits, whatever the model was."""
    losses.append(Loss("model.merges", "the readers take the longest token that fits", "use .mtok or type 3"))
    byte_level = is_byte_level(spec)
    added = {token.id for token in spec.added_tokens}
    tokens = []
    for number, text in enumerate(id_table(spec)):
        if text is None or text == "":
            tokens.append(b"\xff\xfe" + b"%d" % number)  # not UTF-8: never matched
        elif number in added:
            tokens.append(text.encode("utf-8"))
        elif byte_level:
            tokens.append(bytes(FROM_ALPHABET.get(char, 0xFF) for char in text))
        elif _is_byte(text):
            tokens.append(bytes([int(text[3:5], 16)]))
        else:
            tokens.append(text.replace(MARKER, " ").encode("utf-8"))
    missing = {bytes([byte]) for byte in range(256)}.difference(tokens)
    if missing:
        losses.append(Loss("model.vocab", f"{len(missing)} bytes are no tokens; texts with them lose them"))
    header = _header(spec, TIKTOKEN, list(spec.added_tokens), lambda t: tokens[t.id] == t.content.encode(), losses)
    return TokenVocab(header, tokens)


def _bert(spec: Spec, losses: list[Loss]) -> TokenVocab:
    """Write a WordPiece vocabulary."""
    if not isinstance(spec.model, models.WordPiece) or spec.model.continuing_subword_prefix != "##":
        raise SpecError("type 2 holds WordPiece models with ## only", field="model", value=type(spec.model).__name__)
    what = "accents and non-ASCII capitals stay, and a word with an unknown end keeps its known start"
    losses.append(Loss("normalizer", what, "use .mtok"))
    known = dict(model_tokens(spec))
    texts = [text or hole_name(number, known) for number, text in enumerate(id_table(spec))]
    tokens = [text.encode("utf-8") for text in texts]
    return TokenVocab(_header(spec, BERT, list(spec.added_tokens), lambda t: bool(t.content), losses), tokens)


def _huggingface(spec: Spec, reader: str, losses: list[Loss]) -> MergeVocab:
    """Write a byte-level BPE."""
    model = spec.model
    if not isinstance(model, models.BPE) or not is_byte_level(spec):
        raise SpecError("type 3 holds byte-level BPE only", field="model", value=type(model).__name__)
    if not (reader == NATIVE and _splits_like_qwen(spec)):
        losses.append(Loss("pre_tokenizer", f"{reader} {_BUILT_IN[reader]}", "use .mtok"))
    if model.ignore_merges and (lost := unreachable(model)):
        what = f"{len(lost)} tokens (such as {lost[0]!r}) come out in parts: no merge yields them"
        losses.append(Loss("model.ignore_merges", what, "the compact format finds whole tokens first"))
    tokens = _alphabet_tokens(spec, model.vocab)
    best: dict[tuple[str, str], int] = {pair: rank for rank, pair in enumerate(model.merges)}
    merges = sorted(best, key=lambda pair: best[pair])
    header = _header(spec, HUGGINGFACE, list(spec.added_tokens), lambda token: bool(token.content), losses)
    return MergeVocab(header, tokens, merges)


def _alphabet_tokens(spec: Spec, vocab: Mapping[str, int]) -> list[str]:
    """Return all tokens in the byte alphabet, added ones included, or the readers would not find them."""
    added = {token.id for token in spec.added_tokens}
    tokens = []
    for number, text in enumerate(id_table(spec)):
        if text is None:
            tokens.append(hole_name(number, vocab))
        else:
            tokens.append(to_alphabet(text) if number in added else text)
    return tokens


def _splits_like_qwen(spec: Spec) -> bool:
    """Tell whether the spec splits with the pattern built into native-llm."""
    from tokenizers_lite.spec import pre_tokenizers
    from vocab_converters._facts import flat_pre_tokenizers

    steps = list(flat_pre_tokenizers(spec.pre_tokenizer))
    if len(steps) != 2 or not isinstance(steps[0], pre_tokenizers.Split):
        return False
    return steps[0].pattern.text == QWEN and steps[0].behavior == "Isolated" and not steps[0].invert
