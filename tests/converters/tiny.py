"""Small tokenizers made here, so that the converters' tests need no files."""

import functools
import random

import pytest

from tests.strategies import FRAGMENTS
from tokenizers_lite.formats import hf_json

WORDS = "the quick brown fox jumps over lazy dogs naïve café 中文 文字 числа 12 345 👍🏽 don't it's <b> x_1 A.B ไทย"
CORPUS = [" ".join(random.Random(n).choices(WORDS.split(), k=30)) for n in range(40)] + FRAGMENTS
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _tokenizers():
    return pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")


@functools.cache
def byte_level(pattern=QWEN, normalizer=None):
    """Qwen's kind: Split, ByteLevel, added tokens without flags; BOS by template."""
    tk = _tokenizers()
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = tk.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(tk.Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = getattr(normalizers, normalizer)()
    trainer = trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    specials = ["<|im_start|>", "<|im_end|>", "<|im_", "<｜User｜>", "a▁b"]
    tokenizer.add_tokens([tk.AddedToken(text, normalized=False, special=True) for text in specials])
    tokenizer.add_tokens([tk.AddedToken("<think>", normalized=False)])
    bos = tokenizer.token_to_id("<|im_start|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", pair="<|im_start|> $A $B", special_tokens=[("<|im_start|>", bos)]
    )
    return tokenizer


@functools.cache
def marker(prepend=True):
    """Llama-2's kind: ▁ by the normalizer, byte fallback; an added token that swallows white space."""
    tk = _tokenizers()
    from tokenizers import decoders, models, normalizers, trainers

    tokenizer = tk.Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    replace = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prepend else replace
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    corpus = [f"▁{word}" for text in CORPUS for word in text.split()]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=specials, show_progress=False, max_token_length=8)
    full = tk.Tokenizer(models.BPE(unk_token="<unk>"))
    full.pre_tokenizer = tk.pre_tokenizers.WhitespaceSplit()
    full.train_from_iterator(corpus, trainer)
    import json

    vocab, merges = json.loads(full.to_str())["model"]["vocab"], json.loads(full.to_str())["model"]["merges"]
    tokenizer.model = models.BPE(
        vocab, [tuple(pair) for pair in merges], unk_token="<unk>", byte_fallback=True, fuse_unk=True
    )
    tokenizer.add_special_tokens([tk.AddedToken(text, normalized=False, special=True) for text in ("<s>", "</s>")])
    tokenizer.add_tokens([tk.AddedToken("<|end|>", normalized=False, rstrip=True, special=True)])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


@functools.cache
def wordpiece():
    """BERT's kind, with [CLS] and [SEP]."""
    tk = _tokenizers()
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = tk.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=500, special_tokens=specials, show_progress=False)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def spec_of(tokenizer):
    """Return the spec of a tokenizer."""
    return hf_json.parse(tokenizer.to_str().encode())
