"""Every exception the package raises on purpose.

TokenizerError
├── SpecError            a file or spec holds something unknown, contradictory or broken
├── VocabError           an id or token that the vocabulary does not have
├── SpecialTokenError    special-token text met where the caller disallowed it
├── TextError            input that is to be UTF-8 and is not
├── TruncationError      the input cannot be cut as asked
├── TemplateError        a chat template is missing, failed, or went over its bounds
├── OfflineError         files are needed that could not be found or fetched
├── LossyExportError     a target format cannot hold the tokenizer (see its `report`)
├── WorkerError          a process that worked on a part of a batch is gone
└── MissingDependencyError   an optional library is needed; the message says which

A message says what happened, where (file, field, value) and what to do about it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class TokenizerError(Exception):
    """Base class of all errors raised by tokenizers-lite."""


class SpecError(TokenizerError, ValueError):
    """A file or a spec that cannot be used as it stands, or a name that stands for none.

    >>> load("qwen33")
    Traceback (most recent call last):
    tokenizers_lite.errors.SpecError: name: unknown model name; did you mean qwen3 ... (got 'qwen33')

    Args:
        message: what is wrong and what to do, one or two sentences.
        file: path or name of the file, if there is one.
        field: dotted path inside the file (``model.merges[17]``), an offset
            (``offset 0x1f``) or a line (``line 12``).
        value: the offending value; shown shortened.
    """

    def __init__(self, message: str, *, file: object = None, field: str | None = None, value: Any = ...) -> None:
        where = ": ".join(str(part) for part in (file, field) if part not in (None, ""))
        if value is not ...:
            shown = repr(value)
            message = f"{message} (got {shown if len(shown) <= 120 else shown[:117] + '...'})"
        super().__init__(f"{where}: {message}" if where else message)
        self.file = file
        self.field = field
        self.value = None if value is ... else value


class VocabError(TokenizerError, LookupError):
    """An id or a token that the vocabulary does not have, or a kind of number that does not hold its ids.

    >>> tokenizer.id_to_token(10**9)
    Traceback (most recent call last):
    tokenizers_lite.errors.VocabError: no id 1000000000 in <Tokenizer qwen3: BPE, 151669 tokens>
    """


class SpecialTokenError(TokenizerError, ValueError):
    """Text contains a special token that the caller disallowed; the message names it, its place and the ways out.

    >>> tokenizer.encode("a<|im_end|>", allowed_special=(), disallowed_special="all")
    Traceback (most recent call last):
    tokenizers_lite.errors.SpecialTokenError: the text contains the special token '<|im_end|>' at character 1. ...
    """


class TextError(TokenizerError, ValueError):
    """Bytes that are to be UTF-8 and are not.

    Args:
        message: where they are and what to do.
        offset: of the first such byte.
    """

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class TruncationError(TokenizerError, ValueError):
    """The input cannot be cut as asked: no room for special tokens, a stride too long, or a text that is missing."""


class TemplateError(TokenizerError, ValueError):
    """A chat template is missing, raised, or exceeded its bounds; the message names the template and the line."""


class OfflineError(TokenizerError, OSError):
    """Files are needed that are not here and could not be fetched.

    The message lists every place that was tried with its reason, and which file to put where.
    """


class LossyExportError(TokenizerError, ValueError):
    """The target format cannot hold this tokenizer without changing ids.

    Args:
        message: what is lost, an example of a text, and the remedy.
        report: all of it as data, where a writer makes such a report.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class WorkerError(TokenizerError, RuntimeError):
    """A process that worked on a part of a batch ended before its time."""


class MissingDependencyError(TokenizerError, ImportError):
    """An optional library is needed for what was asked; the message says which and how to install it."""
