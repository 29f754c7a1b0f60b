"""Errors of the runtime, all raised before onnxruntime would fail deep inside.

TokenizerError
└── RuntimeModelError
    ├── ModelFileError        a weight, config or graph file is broken or unsupported (file, field, value)
    ├── UnknownGraphError     no known form of decoder graph fits the inputs and outputs
    ├── MismatchError         model, tokenizer and request do not belong together
    ├── PromptError           ids or settings that cannot be used
    │   └── ContextOverflowError   prompt and answer do not fit the context
    ├── BusyError             an answer is under way on the same cache, or an export into the same folder
    └── UnsupportedError      the graph cannot do what was asked (it says what can)
"""

from __future__ import annotations

from tokenizers_lite.errors import MissingDependencyError, SpecError, TokenizerError

__all__ = [
    "BusyError",
    "ContextOverflowError",
    "MismatchError",
    "MissingDependencyError",
    "ModelFileError",
    "PromptError",
    "RuntimeModelError",
    "UnknownGraphError",
    "UnsupportedError",
]


class RuntimeModelError(TokenizerError):
    """Base class of the runtime's own errors."""


class ModelFileError(RuntimeModelError, SpecError):
    """A model file that cannot be used as it stands; carries `file`, `field`, `value`."""


class UnknownGraphError(RuntimeModelError, ValueError):
    """The inputs and outputs of a graph fit no known form."""


class MismatchError(RuntimeModelError, ValueError):
    """Model and tokenizer, or two files of one model, do not belong together."""


class PromptError(RuntimeModelError, ValueError):
    """Ids that cannot be fed (none at all, or outside the vocabulary), or settings outside their range."""


class ContextOverflowError(PromptError):
    """Prompt and answer are longer than the context of the model."""


class BusyError(RuntimeModelError):
    """An answer is being generated, and a generator holds one cache; or a folder is being written."""


class UnsupportedError(RuntimeModelError, NotImplementedError):
    """The graph at hand cannot do this."""
