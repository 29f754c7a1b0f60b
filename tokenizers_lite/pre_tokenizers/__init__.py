"""Pre-tokenizers: text -> pieces that the model handles one by one.

Semantics of tokenizers 0.23.3 (src/pre_tokenizers/*.rs).
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.pre_tokenizers._base import (
    FixedLength,
    PreTokenizer,
    Sequence,
    Splitter,
    SplitterSequence,
    Whole,
)
from tokenizers_lite.spec import pre_tokenizers as specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["PreTokenizer", "Splitter", "build", "byte_level_splitter"]


def build(spec: specs.PreTokenizer) -> PreTokenizer:
    """Make the pre-tokenizer that a spec describes.

    Raises:
        SpecError: the component or one of its values is unknown, or a pattern cannot be expressed.
    """
    if isinstance(spec, specs.Sequence):
        parts = tuple(map(build, _flat(spec)))
        if len(parts) <= 1:
            return parts[0] if parts else Whole()
        splitters = tuple(part for part in parts if isinstance(part, Splitter))
        return SplitterSequence(splitters) if len(splitters) == len(parts) else Sequence(parts)
    make = _BUILDERS.get(type(spec))
    if make is None:
        raise SpecError("unknown pre-tokenizer", field="pre_tokenizer", value=spec)
    return make(spec)


def byte_level_splitter(spec: specs.PreTokenizer | None) -> Splitter | None:
    """Return how a byte-level pre-tokenizer cuts, without its byte alphabet.

    Returns:
        A splitter whose pieces, mapped to the alphabet, are those of
        `build(spec)`; None unless the spec is any number of splitters and then
        a ByteLevel without `add_prefix_space`.
    """
    parts = [] if spec is None else list(_flat(spec))
    if not parts or not isinstance(parts[-1], specs.ByteLevel) or parts[-1].add_prefix_space:
        return None
    splitters = [build(part) for part in parts[:-1]]
    if parts[-1].use_regex:
        splitters.append(_gpt2())
    pure = tuple(part for part in splitters if isinstance(part, Splitter))
    if len(pure) < len(splitters):
        return None
    if not pure:
        return Whole()
    return pure[0] if len(pure) == 1 else SplitterSequence(pure)


def _flat(spec: specs.PreTokenizer) -> Iterator[specs.PreTokenizer]:
    if isinstance(spec, specs.Sequence):
        for part in spec.pretokenizers:
            yield from _flat(part)
    else:
        yield spec


def _checked(field: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise SpecError(f"must be one of {', '.join(known)}", field=f"pre_tokenizer.{field}", value=value)
    return value


def _character(field: str, value: str) -> str:
    if len(value) != 1:
        raise SpecError("must be one character", field=f"pre_tokenizer.{field}", value=value)
    return value


def _bert(_: specs.BertPreTokenizer) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.bert()


def _byte_level(spec: specs.ByteLevel) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers._byte_level import ByteLevel

    return ByteLevel(_gpt2() if spec.use_regex else Whole(), spec.add_prefix_space)


def _gpt2() -> Splitter:
    from tokenizers_lite.patterns import SplitPattern
    from tokenizers_lite.pre_tokenizers._byte_level import GPT2_PATTERN
    from tokenizers_lite.pre_tokenizers._split import Split

    return Split(SplitPattern(GPT2_PATTERN), "Isolated", False)


def _char_delimiter(spec: specs.CharDelimiterSplit) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.split_at_character(_character("delimiter", spec.delimiter), "Removed")


def _digits(spec: specs.Digits) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.split_at("rust:numeric", "Isolated" if spec.individual_digits else "Contiguous")


def _fixed_length(spec: specs.FixedLength) -> PreTokenizer:
    if spec.length < 1:
        raise SpecError("must be at least 1", field="pre_tokenizer.length", value=spec.length)
    return FixedLength(spec.length)


def _metaspace(spec: specs.Metaspace) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers._metaspace import Metaspace

    _character("replacement", spec.replacement)
    _checked("prepend_scheme", spec.prepend_scheme, specs.PREPEND_SCHEMES)
    return Metaspace(spec)


def _punctuation(spec: specs.Punctuation) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.split_at("hf:punctuation", _checked("behavior", spec.behavior, specs.BEHAVIORS))


def _split(spec: specs.Split) -> PreTokenizer:
    behavior = _checked("behavior", spec.behavior, specs.BEHAVIORS)
    if not spec.pattern.regex and len(spec.pattern.text) == 1:
        from tokenizers_lite.pre_tokenizers import _classes

        return _classes.split_at_character(spec.pattern.text, behavior, spec.invert)
    from tokenizers_lite.patterns import SplitPattern
    from tokenizers_lite.pre_tokenizers._split import Split

    return Split(SplitPattern(spec.pattern.text, spec.pattern.regex), behavior, spec.invert)


def _unicode_scripts(_: specs.UnicodeScripts) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.UnicodeScripts()


def _whitespace(_: specs.Whitespace) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.whitespace()


def _whitespace_split(_: specs.WhitespaceSplit) -> PreTokenizer:
    from tokenizers_lite.pre_tokenizers import _classes

    return _classes.split_at("rust:whitespace", "Removed")


_BUILDERS: dict[type, Callable[[Any], PreTokenizer]] = {
    specs.BertPreTokenizer: _bert,
    specs.ByteLevel: _byte_level,
    specs.CharDelimiterSplit: _char_delimiter,
    specs.Digits: _digits,
    specs.FixedLength: _fixed_length,
    specs.Metaspace: _metaspace,
    specs.Punctuation: _punctuation,
    specs.Split: _split,
    specs.UnicodeScripts: _unicode_scripts,
    specs.Whitespace: _whitespace,
    specs.WhitespaceSplit: _whitespace_split,
}
