"""Small valid files for each reader, made at random."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import struct
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz import spec_models, specs
from tests import paths
from tokenizers_lite.byte_alphabet import CHARS as BYTE_CHARS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Json = dict[str, Any]

PATTERN = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
TEXT = "Hello wörld <s></s>\n 12"
# Writers are to write, whatever is lost, and to try no long list of texts.
QUICK: Any = {"allow_loss": True, "whole_vocabulary": False, "manifest": False}


def tokenizer_json(rng: random.Random) -> dict[str, bytes]:
    """Return a folder with tokenizer.json and sometimes its configuration."""
    files = {"tokenizer.json": json.dumps(specs.spec(rng)).encode()}
    if rng.random() < 0.4:
        files["tokenizer_config.json"] = json.dumps(configuration(rng)).encode()
    return files


def configuration(rng: random.Random) -> Json:
    """Return a tokenizer_config.json."""
    names = ["bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    values = [None, "<s>", "</s>", {"content": "<s>", "lstrip": False}, {"__type": "AddedToken", "content": "[UNK]"}]
    config: Json = {name: rng.choice(values) for name in rng.sample(names, 4)}
    config["add_bos_token"] = rng.choice((True, False, None))
    config["tokenizer_class"] = rng.choice(("LlamaTokenizer", "GPT2Tokenizer", "BertTokenizer", "Qwen2Tokenizer", None))
    config["added_tokens_decoder"] = {
        str(i): {"content": t, "special": True} for i, t in enumerate(spec_models.SPECIALS[:3])
    }
    config["chat_template"] = rng.choice((None, "{{ messages }}", [{"name": "default", "template": "x"}]))
    config["model_max_length"] = rng.choice((10, 1e30, None))
    return config


def vocab_merges(rng: random.Random) -> dict[str, bytes]:
    """Return vocab.json and merges.txt."""
    tokens, merges = spec_models.grown(rng, list(BYTE_CHARS))
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    config = configuration(rng) | {"tokenizer_class": "GPT2Tokenizer"}
    return {
        "vocab.json": json.dumps(spec_models.numbered(rng, tokens)).encode(),
        "merges.txt": "\n".join(lines).encode(),
        "tokenizer_config.json": json.dumps(config).encode(),
    }


def vocab_txt(rng: random.Random) -> dict[str, bytes]:
    """Return vocab.txt and its configuration."""
    tokens, _ = spec_models.grown(rng, spec_models.alphabet(rng), "##")
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": rng.random() < 0.5}
    lines = [*spec_models.SPECIALS, *(token for token in tokens if "\n" not in token)]
    return {"vocab.txt": "\n".join(lines).encode(), "tokenizer_config.json": json.dumps(config).encode()}


def tiktoken(rng: random.Random) -> dict[str, bytes]:
    """Return a .tiktoken file."""
    tokens = [bytes([byte]) for byte in range(256)]
    for _ in range(rng.randint(0, 60)):
        joined = rng.choice(tokens) + rng.choice(tokens)
        if joined not in tokens:
            tokens.append(joined)
    lines = (base64.b64encode(token) + b" %d" % rank for rank, token in enumerate(tokens))
    return {"qwen.tiktoken": b"\n".join(lines) + b"\n"}


@lru_cache
def _models() -> list[bytes]:
    from tests.spm import train

    with contextlib.suppress(BaseException):  # pytest's Skipped, without sentencepiece
        # Without a map of characters, which is most of a small model and slow to check, but for one.
        plain: Json = {"normalization_rule_name": "identity", "vocab_size": 700}
        made = [train(**plain, model_type=kind) for kind in ("bpe", "unigram", "char", "word")] * 3
        made.append(train(model_type="unigram", vocab_size=700))
        return [*made, train(**plain | {"vocab_size": 800}, model_type="bpe", byte_fallback=True)]
    return [b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02\n\x0d\n\x03\xe2\x96\x81\x15\0\0\0\xc0"]


def sentencepiece(rng: random.Random) -> dict[str, bytes]:
    """Return a .model file."""
    return {"tokenizer.model": rng.choice(_models())}


def _gguf_value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _gguf_text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_gguf_text, value))
    kind, code = (6, "f") if value and isinstance(value[0], float) else (5, "i")
    return struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{code}", *value)


def _gguf_text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(rng: random.Random) -> dict[str, bytes]:
    """Return a GGUF header without tensors."""
    kind = rng.choice(("gpt2", "llama", "bert"))
    tokens, merges = spec_models.grown(rng, list(BYTE_CHARS))
    while not merges:
        tokens, merges = spec_models.grown(rng, list(BYTE_CHARS))
    values: Json = {"general.architecture": "llama", "tokenizer.ggml.model": kind}
    if kind == "gpt2":
        values["tokenizer.ggml.pre"] = rng.choice(("qwen2", "llama-bpe", "gpt-2"))
        values["tokenizer.ggml.merges"] = [" ".join(merge) for merge in merges]
    else:
        tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *tokens]
        values["tokenizer.ggml.scores"] = [-float(i) for i in range(len(tokens))]
        values["tokenizer.ggml.add_space_prefix"] = rng.random() < 0.5
    values["tokenizer.ggml.tokens"] = tokens
    values["tokenizer.ggml.token_type"] = [1] * len(tokens)
    if kind != "gpt2":
        values["tokenizer.ggml.token_type"] = [2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)]
    for name in ("bos", "eos", "unknown", "padding"):
        values[f"tokenizer.ggml.{name}_token_id"] = rng.randrange(3)
    values["tokenizer.ggml.add_bos_token"] = rng.random() < 0.5
    body = b"".join(_gguf_text(key) + _gguf_value(value) for key, value in values.items())
    return {"model.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + body}


def _written(rng: random.Random, name: str, write: Callable[[Any, str], Any]) -> dict[str, bytes]:
    """Return a file that a writer of ours makes of a random spec, or of one that it can hold."""
    from tokenizers_lite import errors
    from tokenizers_lite.formats import hf_json

    while True:
        made = specs.spec(rng) if name.endswith("tokc") else simple(rng)
        try:
            spec = hf_json.parse(json.dumps(made).encode())
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name)
                write(spec, path)
                return {name: Path(path).read_bytes()}
        except errors.TokenizerError:
            continue


def simple(rng: random.Random) -> Json:
    """Return a spec of a kind that vocabularies for phones can hold."""
    tokens, merges = spec_models.grown(rng, list(BYTE_CHARS))
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = {"id": 256, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False}
    return {
        "version": "1.0",
        "added_tokens": [{**added, "id": len(tokens), "normalized": False, "special": True}],
        "normalizer": {"type": "NFC"} if rng.random() < 0.5 else None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges},
    }


def compact(rng: random.Random) -> dict[str, bytes]:
    """Return a compact file."""
    from vocab_converters.compact import write

    return _written(rng, "t.tokc", lambda spec, path: write(spec, path, index=rng.random() < 0.5))


def mtok(rng: random.Random) -> dict[str, bytes]:
    """Return a .mtok file."""
    from vocab_converters import convert

    return _written(rng, "t.mtok", lambda spec, path: convert(spec, path, target="mtok", **QUICK))


def mnn_text(rng: random.Random) -> dict[str, bytes]:
    """Return a 430 text vocabulary of one of the types."""
    kind = rng.randrange(4)
    tokens, merges = spec_models.grown(rng, list(BYTE_CHARS))
    head = b"430 %d\n2 1 0\n0 1 1 \n" % kind
    encoded = [base64.b64encode(token.encode()) for token in tokens]
    if kind == 0:
        lines = [token + b" -%d.5 1" % i for i, token in enumerate(encoded)]
    elif kind == 3:
        lines = [token.encode() for token in tokens if not token.isspace()]
        head += b"%d %d\n" % (len(lines), len(merges))
        return {"vocab.txt": head + b"\n".join([*lines, *(" ".join(merge).encode() for merge in merges), b""])}
    else:
        lines = encoded
    return {"vocab.txt": head + b"%d\n" % len(lines) + b"\n".join([*lines, b""])}


READERS: dict[str, Callable[[random.Random], dict[str, bytes]]] = {
    "tokenizer.json": tokenizer_json,
    "vocab+merges": vocab_merges,
    "vocab.txt": vocab_txt,
    "tiktoken": tiktoken,
    "sentencepiece": sentencepiece,
    "gguf": gguf,
    "compact": compact,
    "mnn-text": mnn_text,
    "mtok": mtok,
}


REAL = {"tokenizer.json": "tokenizer.json", "sentencepiece": "tokenizer.model", "vocab.txt": "vocab.txt"}


@lru_cache(maxsize=4)
def smallest_real(reader: str) -> bytes | None:
    """Return the smallest real file of a kind, if there is one."""
    name = REAL.get(reader)
    found = sorted((paths.SHARED / "vocab").glob(f"*/{name}"), key=lambda path: path.stat().st_size) if name else []
    return found[0].read_bytes() if found else None
