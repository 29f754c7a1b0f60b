"""Vocabulary files for phones and other programs, proven before they are written.

>>> from vocab_converters import convert
>>> print(convert("minicpm", "vocab_MiniCPM.txt", target="mnn-text", reader="native-llm"))  # doctest: +SKIP

`convert` writes, `inspect` describes a file, `verify` compares a file with a
tokenizer, `diff` compares two tokenizers or files.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vocab_converters._convert import convert as convert
    from vocab_converters._inspect import diff as diff
    from vocab_converters._inspect import inspect as inspect
    from vocab_converters._inspect import verify as verify
    from vocab_converters.emulate import load as emulate_file
    from vocab_converters.fidelity import Report as Report

__all__ = ["Report", "convert", "diff", "emulate_file", "inspect", "verify"]

_HOMES = {
    "Report": ("fidelity", "Report"),
    "convert": ("_convert", "convert"),
    "diff": ("_inspect", "diff"),
    "emulate_file": ("emulate", "load"),
    "inspect": ("_inspect", "inspect"),
    "verify": ("_inspect", "verify"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value = getattr(import_module(f"vocab_converters.{module}"), attribute)
    globals()[name] = value
    return value
