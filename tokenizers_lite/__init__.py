"""Hugging Face token ids in pure Python: exact, quick to start, no compiled code.

>>> import tokenizers_lite
>>> tokenizer = tokenizers_lite.load("qwen3")
>>> tokenizer.encode("Hello, world!")
[9707, 11, 1879, 0]
"""

from __future__ import annotations

from tokenizers_lite._load import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.encoding import Encoding
    from tokenizers_lite.errors import (
        LossyExportError,
        MissingDependencyError,
        OfflineError,
        SpecError,
        SpecialTokenError,
        TemplateError,
        TokenizerError,
        TruncationError,
        VocabError,
    )
    from tokenizers_lite.spec import AddedToken, Padding, Spec, Truncation
    from tokenizers_lite.stream import StreamDecoder
    from tokenizers_lite.tokenizer import Tokenizer

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
    "Tokenizer",
    "TokenizerError",
    "Truncation",
    "TruncationError",
    "VocabError",
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


def list_models() -> tuple[str, ...]:
    """Return the names that `load` knows, sorted."""
    from tokenizers_lite.registry import names

    return names()


def __getattr__(name: str) -> object:
    """Import public names when they are first used: most programs need `load` only."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
