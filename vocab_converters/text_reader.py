"""MNN's text vocabularies (430 types 0 to 3) -> Spec."""

from __future__ import annotations

from tokenizers_lite.byte_alphabet import CHARS
from tokenizers_lite.spec import AddedToken, Config, Pattern, Spec, decoders, models, normalizers, pre_tokenizers
from vocab_converters._facts import MARKER
from vocab_converters._header import BERT
from vocab_converters.emulate import NATIVE, build
from vocab_converters.emulate._text import QWEN
from vocab_converters.mnn_text import NORMAL, MergeVocab, SentencePieceVocab, TokenVocab
from vocab_converters.mtok_reader import is_hole, template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec.models import Model


def to_spec(record: SentencePieceVocab | TokenVocab | MergeVocab) -> Spec:
    """Translate a text vocabulary.

    The files say less than a spec: type 3 gets Qwen's pattern, which
    native-llm has built in; type 1 the greedy longest match that all readers
    do; type 0 a ▁ in front of the text if its pieces hold ▁, none if they
    hold blanks (the dialect of mnn-llm).
    """
    emulated = build(record, NATIVE)
    header = record.header
    added = []
    for number in dict.fromkeys(header.special):
        text = _special_text(record, number, emulated.decode_id(number))
        if text:
            added.append(AddedToken(number, text, normalized=False, special=True))
    spec = Spec(_model(record, {token.id for token in added}), tuple(sorted(added, key=lambda token: token.id)))
    spec = spec.replace(
        config=Config(stop_ids=header.stop), post_processor=template(header.prefix, (), emulated.decode_id)
    )
    if isinstance(record, MergeVocab):
        split = pre_tokenizers.Split(Pattern(QWEN, regex=True), "Isolated")
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return spec.replace(pre_tokenizer=pre_tokenizers.Sequence((split, level)), decoder=decoders.ByteLevel())
    if isinstance(record, TokenVocab) and header.type == BERT:
        return spec.replace(
            normalizer=normalizers.BertNormalizer(strip_accents=False),
            pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
            decoder=decoders.WordPiece(),
        )
    if isinstance(record, TokenVocab):
        return spec.replace(normalizer=normalizers.ByteLevel(), decoder=decoders.ByteLevel())
    return spec


def _special_text(record: SentencePieceVocab | TokenVocab | MergeVocab, number: int, shown: bytes) -> str:
    """Return the text of a special token, without the blanks that only the reader prints."""
    if isinstance(record, SentencePieceVocab) and number < len(record.pieces):
        return record.pieces[number][0]
    return shown.decode("utf-8", "replace")


def _model(record: SentencePieceVocab | TokenVocab | MergeVocab, added: set[int]) -> Model:
    """Translate the vocabulary."""
    if isinstance(record, SentencePieceVocab):
        return _sentencepiece(record)
    if isinstance(record, MergeVocab):
        parts = {text for pair in record.merges for text in pair} | {left + right for left, right in record.merges}
        vocab: dict[str, int] = {}
        for number, text in enumerate(record.tokens):
            if text in parts or len(text) == 1 or not (number in added or is_hole(text, number)):
                vocab.setdefault(text, number)
        merges = [pair for pair in record.merges if pair[0] in vocab and pair[1] in vocab and "".join(pair) in vocab]
        return models.BPE(vocab, merges)
    if record.header.type == BERT:
        texts = [token.decode("utf-8", "replace") for token in record.tokens]
        return models.WordPiece({text: number for number, text in enumerate(texts) if not is_hole(text, number)})
    found: dict[str, int] = {}
    for number, token in enumerate(record.tokens):
        if not token.startswith(b"\xff\xfe"):
            found.setdefault("".join(CHARS[byte] for byte in token), number)
    unknown = next(iter(found), "")
    return models.WordPiece(found, unknown, "", 2**31 - 1)


def _sentencepiece(record: SentencePieceVocab) -> models.SentencePiece:
    """Translate type 0; both dialects give pieces with ▁."""
    marked = any(MARKER in text for text, _, kind in record.pieces if kind == NORMAL)
    pieces = [(text if marked else text.replace(" ", MARKER), score, kind) for text, score, kind in record.pieces]
    return models.SentencePiece(
        pieces, "bpe", byte_fallback=True, add_dummy_prefix=marked, remove_extra_whitespaces=False
    )
