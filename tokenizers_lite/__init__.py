"""Hugging Face token ids in pure Python: exact, quick to start, no compiled code.

>>> import tokenizers_lite
>>> tokenizer = tokenizers_lite.load("qwen3")
>>> tokenizer.encode("Hello, world!")
[9707, 11, 1879, 0]
>>> tokenizer.decode([9707, 11, 1879, 0])
'Hello, world!'

`load` gives a `Tokenizer`; `list_models` names those it knows. What goes wrong
is a `TokenizerError`. Beside them: `workers` (processes that share batches),
`seams` (where long texts may be cut), `view` (tokens as a page), `formats`
(readers of each kind of file), `spec` (what they give).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

    from tokenizers_lite.encoding import Encoding
    from tokenizers_lite.errors import (
        LossyExportError,
        MissingDependencyError,
        OfflineError,
        SpecError,
        SpecialTokenError,
        TemplateError,
        TextError,
        TokenizerError,
        TruncationError,
        VocabError,
        WorkerError,
    )
    from tokenizers_lite.spec import AddedToken, Padding, Spec, Truncation
    from tokenizers_lite.stream import StreamDecoder
    from tokenizers_lite.tokenizer import Tokenizer
    from vocab_converters.emulate import Emulated

__version__ = "0.1.0"

__all__ = [
    "AddedToken",
    "Encoding",
    "LossyExportError",
    "MissingDependencyError",
    "OfflineError",
    "Padding",
    "Spec",
    "SpecError",
    "SpecialTokenError",
    "StreamDecoder",
    "TemplateError",
    "TextError",
    "Tokenizer",
    "TokenizerError",
    "Truncation",
    "TruncationError",
    "VocabError",
    "WorkerError",
    "list_models",
    "load",
]

_HOMES = {
    "Encoding": "encoding",
    "StreamDecoder": "stream",
    "Tokenizer": "tokenizer",
    "AddedToken": "spec",
    "Padding": "spec",
    "Spec": "spec",
    "Truncation": "spec",
}

_BUNDLED = f"{os.path.dirname(os.path.abspath(__file__))}/bundled"
_SUFFIX = ".tokc"


if TYPE_CHECKING:

    @overload
    def load(
        name_or_path: str | os.PathLike[str],
        *,
        revision: str | None = None,
        offline: bool | None = None,
        as_reader: None = None,
    ) -> Tokenizer: ...

    @overload
    def load(name_or_path: str | os.PathLike[str], *, as_reader: str) -> Emulated: ...


def load(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    offline: bool | None = None,
    as_reader: str | None = None,
) -> Tokenizer | Emulated:
    r"""Load a tokenizer by name or from a file or folder.

    >>> load("qwen3")
    <Tokenizer qwen3: BPE, 151669 tokens>

    Args:
        name_or_path: a registry name or alias (``"qwen3"``), a hub id
            (``"Qwen/Qwen3-0.6B"``), or a path: a folder with a model's files,
            tokenizer.json, tokenizer.model, \*.tiktoken, vocab.json beside
            merges.txt, vocab.txt, a GGUF file, or a compact file.
        revision: which version of the hub's repository; None is the one the
            registry knows by its hashes.
        offline: True never touches the network; None asks
            `TOKENIZERS_LITE_OFFLINE` and `HF_HUB_OFFLINE`.
        as_reader: give what a stock C++ reader ("mnn-llm", "native-llm", "mnn")
            makes of an MNN vocabulary file, its faults included, instead of
            exact ids: an `Emulated` with `encode` and `decode`.

    Returns:
        A `Tokenizer`; what it holds is made when first needed, where the file
        is compact, so that a start costs next to nothing.

    Raises:
        SpecError: the name is unknown, or the file is damaged or of an unknown kind.
        OfflineError: the files are not here and could not be fetched; the
            message lists what was tried and which file to put where.
    """
    name = os.fspath(name_or_path)
    if as_reader is not None:
        from vocab_converters import emulate

        return emulate.load(name, as_reader)
    path = _bundled_file(name) if revision is None else None
    if path is None:
        from tokenizers_lite.registry import locate

        path = locate(name_or_path, revision=revision, offline=offline)
    if path.endswith(_SUFFIX):
        return _open_compact(path, name)
    from tokenizers_lite.formats import read
    from tokenizers_lite.tokenizer import Tokenizer

    return Tokenizer(read(path), name)


def _open_compact(path: str, name: str) -> Tokenizer:
    """Open a compact file by need."""
    from tokenizers_lite.formats.compact import open_quick
    from tokenizers_lite.tokenizer import Tokenizer

    bundled = path.startswith(_BUNDLED)
    spec, start = open_quick(path, trusted=bundled)
    tokenizer = Tokenizer(spec, name, start)
    tokenizer._bundled = path if bundled else ""
    return tokenizer


def _bundled_file(name: str) -> str | None:
    """Return the bundled file of exactly this name, if nothing that goes before it could have it.

    It is what the registry would find, without the cost of importing the registry.
    """
    if "/" in name or os.environ.get("TOKENIZERS_LITE_PATH") or os.path.exists(name):
        return None
    path = f"{_BUNDLED}/{name}{_SUFFIX}"
    return path if os.path.exists(path) else None


def list_models() -> tuple[str, ...]:
    """Return the names that `load` knows, sorted.

    >>> list_models()[:3]
    ('bge-small-en', 'deepseek-r1-distill-qwen', 'deepseek-v3')
    """
    from tokenizers_lite.registry import names

    return names()


def __getattr__(name: str) -> object:
    """Import public names when they are first used: most programs need `load` only."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    """List the public names too that are not imported yet, for `dir` and `help`."""
    return sorted({*globals(), *__all__})
