"""As a stranger would: train a tokenizer with `tokenizers`, save it, load it here, compare.

Every model type meets an odd set of components; the texts are adversarial.
"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FRAGMENTS, texts
from tokenizers_lite.formats import read
from tokenizers_lite.tokenizer import Tokenizer

tk = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
from tokenizers import (  # noqa: E402
    AddedToken,
    Regex,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

WORDS = "the quick brown fox jumps over lazy dogs naïve café 中文 文字 числа 12 345 👍🏽 don't it's <b> x_1 A.B"
CORPUS = [" ".join(random.Random(n).choices(WORDS.split(), k=30)) for n in range(60)] + FRAGMENTS
SPECIALS = ["<s>", "</s>", "<pad>", "<unk>"]


def _train(model, trainer, **parts):
    tokenizer = tk.Tokenizer(model)
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level_roberta():
    tokenizer = _train(
        models.BPE(),
        trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=SPECIALS,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True),
        decoder=decoders.ByteLevel(),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), True, True)
    tokenizer.add_tokens([AddedToken("<mask>", lstrip=True, special=True), AddedToken("fox", single_word=True)])
    return tokenizer


def byte_level_split_nfkc():
    tokenizer = _train(
        models.BPE(byte_fallback=True, ignore_merges=True),
        trainers.BpeTrainer(
            vocab_size=450,
            special_tokens=SPECIALS,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
        normalizer=normalizers.NFKC(),
        pre_tokenizer=pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(r"\p{N}{1,2}"), "isolated"),
                pre_tokenizers.Split(Regex(r"\s+(?!\S)|[^\r\n\p{L}\p{N}]?\p{L}+"), "merged_with_next"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        ),
        decoder=decoders.ByteLevel(),
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def sentencepiece_like():
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = _train(
        models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        trainers.BpeTrainer(
            vocab_size=700, special_tokens=[*SPECIALS, *bytes_], show_progress=False, limit_alphabet=60
        ),
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        decoder=decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    tokenizer.add_special_tokens([AddedToken("<|user|>", rstrip=True, normalized=True)])
    return tokenizer


def metaspace_bpe_affixes():
    return _train(
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=SPECIALS, end_of_word_suffix="</w>", show_progress=False, limit_alphabet=40
        ),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()]),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.BPEDecoder(suffix="</w>"),
    )


def wordpiece_bert():
    tokenizer = _train(
        models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20),
        trainers.WordPieceTrainer(
            vocab_size=400, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
        ),
        normalizer=normalizers.BertNormalizer(lowercase=True),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def wordlevel_scripts():
    return _train(
        models.WordLevel(unk_token="<unk>"),
        trainers.WordLevelTrainer(vocab_size=200, special_tokens=SPECIALS, show_progress=False),
        normalizer=normalizers.Sequence(
            [normalizers.Strip(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.NFKD()]
        ),
        pre_tokenizer=pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Whitespace()]),
    )


def unigram_metaspace():
    tokenizer = _train(
        models.Unigram(),
        trainers.UnigramTrainer(vocab_size=250, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False),
        normalizer=normalizers.Sequence(
            [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
        ),
        pre_tokenizer=pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first"),
        decoder=decoders.Metaspace(prepend_scheme="first"),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.add_tokens([AddedToken("x_1", lstrip=True, rstrip=True)])
    return tokenizer


def unigram_pieces():
    return _train(
        models.Unigram(),
        trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False),
        pre_tokenizer=pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.Punctuation("merged_with_previous"),
                pre_tokenizers.FixedLength(4),
            ]
        ),
        decoder=decoders.Fuse(),
    )


def bpe_delimiter():
    return _train(
        models.BPE(unk_token="<unk>", fuse_unk=False),
        trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIALS, show_progress=False, limit_alphabet=30),
        normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.Strip(left=True, right=False)]),
        pre_tokenizer=pre_tokenizers.Sequence(
            [
                pre_tokenizers.CharDelimiterSplit("e"),
                pre_tokenizers.Split("o", "contiguous", invert=True),
                pre_tokenizers.WhitespaceSplit(),
            ]
        ),
        decoder=decoders.CTC(pad_token="<pad>", word_delimiter_token="a"),
    )


MAKERS = [
    byte_level_roberta,
    byte_level_split_nfkc,
    sentencepiece_like,
    metaspace_bpe_affixes,
    wordpiece_bert,
    wordlevel_scripts,
    unigram_metaspace,
    unigram_pieces,
    bpe_delimiter,
]


@pytest.fixture(scope="module", params=MAKERS, ids=lambda make: make.__name__)
def pair(request, tmp_path_factory):
    """Return (ours, theirs) of one trained tokenizer, ours read from the saved file."""
    theirs = request.param()
    path = str(tmp_path_factory.mktemp("trained") / "tokenizer.json")
    theirs.save(path)
    return Tokenizer(read(path)), tk.Tokenizer.from_file(path)


@given(text=texts(WORDS.split() + SPECIALS), add=st.booleans())
def test_encoding_equals(pair, text, add):
    ours, theirs = pair
    expected = theirs.encode(text, add_special_tokens=add)

    assert ours.encode(text, add_special_tokens=add) == expected.ids
    encoding = ours.encode_with_offsets(text, add_special_tokens=add)
    assert list(encoding.ids) == expected.ids
    assert list(encoding.tokens) == expected.tokens
    assert list(encoding.offsets) == expected.offsets
    assert list(encoding.word_ids) == expected.word_ids
    assert list(encoding.type_ids) == expected.type_ids
    assert list(encoding.special_tokens_mask) == expected.special_tokens_mask


@given(text=texts(WORDS.split(), 4), other=texts(WORDS.split(), 4))
def test_pairs_equal(pair, text, other):
    ours, theirs = pair
    expected = theirs.encode(text, other)

    encoding = ours.encode_with_offsets(text, other)
    assert list(encoding.ids) == expected.ids
    assert list(encoding.type_ids) == expected.type_ids
    assert list(encoding.sequence_ids) == expected.sequence_ids
    assert list(encoding.offsets) == expected.offsets


@given(data=st.data(), skip=st.booleans())
def test_decoding_equals(pair, data, skip):
    ours, theirs = pair
    ids = data.draw(st.lists(st.integers(0, theirs.get_vocab_size() + 3), max_size=30))
    expected = theirs.decode(ids, skip_special_tokens=skip)

    assert ours.decode(ids, skip_special_tokens=skip) == expected
    stream = ours.stream(skip_special_tokens=skip)
    assert "".join(map(stream.push, ids)) + stream.finish() == expected
