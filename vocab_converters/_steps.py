"""Components -> steps that need no regex engine and no Unicode tables, for readers in other languages.

Compact files hold a spec as it is. Where a reader would have to know what a
pattern or a character class means, the writer adds the same thing as tables:
patterns become automata, classes become automata of one character, mappings
of characters become lists (docs/formats/compact.md, "start").
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from tokenizers_lite import _automaton_build, _unicode
from tokenizers_lite._onig_nodes import Chars
from tokenizers_lite.pre_tokenizers import _flat
from tokenizers_lite.pre_tokenizers._byte_level import GPT2_PATTERN
from tokenizers_lite.spec import normalizers, pre_tokenizers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers_lite._automaton import Automaton
    from tokenizers_lite.spec import Pattern

    Step = dict[str, Any]


class _BeyondError(Exception):
    """There are no tables for this component."""


# ------------------------------------------------------------ pre-tokenizers


def cuts(spec: pre_tokenizers.PreTokenizer | None) -> list[Step] | None:
    """Return the steps of a pre-tokenizer, None if it cannot be given as steps."""
    try:
        return [step for part in _flat(spec) for step in _cuts(part)] if spec is not None else []
    except _BeyondError:
        return None


def _cuts(spec: pre_tokenizers.PreTokenizer) -> Iterator[Step]:
    kind = type(spec).__name__
    if isinstance(spec, pre_tokenizers.Split):
        yield _cut(_row(spec.pattern), spec.behavior, spec.invert)
    elif isinstance(spec, pre_tokenizers.Metaspace):
        yield {"type": kind, "replacement": spec.replacement, "scheme": spec.prepend_scheme}
        if spec.split:
            code = ord(spec.replacement)
            yield _cut(_class(((code, code),)), "MergedWithNext")
    elif isinstance(spec, pre_tokenizers.ByteLevel):
        if spec.add_prefix_space:
            yield {"type": "Prefix", "content": " "}
        if spec.use_regex:
            yield _cut(_built(_automaton_build.build(GPT2_PATTERN)), "Isolated")
        yield {"type": kind}
    elif isinstance(spec, pre_tokenizers.BertPreTokenizer):
        yield _cut(_class(_unicode.ranges("rust:whitespace")), "Removed")
        yield _cut(_class(_unicode.ranges("hf:punctuation")), "Isolated")
    elif isinstance(spec, pre_tokenizers.Whitespace):  # \w+|[^\w\s]+
        yield _cut(_class(_unicode.ranges("rust:regexspace")), "Removed")
        yield _cut(_class(_unicode.ranges("rust:word")), "Contiguous")
    elif isinstance(spec, pre_tokenizers.WhitespaceSplit):
        yield _cut(_class(_unicode.ranges("rust:whitespace")), "Removed")
    elif isinstance(spec, pre_tokenizers.Punctuation):
        yield _cut(_class(_unicode.ranges("hf:punctuation")), spec.behavior)
    elif isinstance(spec, pre_tokenizers.Digits):
        behavior = "Isolated" if spec.individual_digits else "Contiguous"
        yield _cut(_class(_unicode.ranges("rust:numeric")), behavior)
    elif isinstance(spec, pre_tokenizers.CharDelimiterSplit):
        yield _cut(_class(((ord(spec.delimiter), ord(spec.delimiter)),)), "Removed")
    else:
        raise _BeyondError(kind)


def _cut(row: list[Any], behavior: str, invert: bool = False) -> Step:
    return {"type": "Cut", "row": row, "behavior": behavior, "invert": invert}


def _row(pattern: Pattern) -> list[Any]:
    return _built(_automaton_build.build(pattern.text, pattern.regex))


def _class(table: _unicode.Ranges) -> list[Any]:
    return _built(_automaton_build.build_node(Chars(table)))


def _built(automaton: Automaton | None) -> list[Any]:
    if automaton is None:
        raise _BeyondError
    return list(automaton._values())


# --------------------------------------------------------------- normalizers


def changes(spec: normalizers.Normalizer | None) -> list[Step] | None:
    """Return the steps of a normalizer, None if it cannot be given as steps."""
    try:
        return list(_changes(spec)) if spec is not None else []
    except _BeyondError:
        return None


def _changes(spec: normalizers.Normalizer) -> Iterator[Step]:
    kind = type(spec).__name__
    if isinstance(spec, normalizers.Sequence):
        for part in spec.normalizers:
            yield from _changes(part)
    elif isinstance(spec, (normalizers.NFC, normalizers.NFD)):
        yield {"type": kind}
    elif isinstance(spec, (normalizers.NFKC, normalizers.NFKD)):
        yield _map(_compatibility())
        yield {"type": "NFC" if kind == "NFKC" else "NFD"}
    elif isinstance(spec, normalizers.BertNormalizer):
        yield {"type": kind, **{name: getattr(spec, name) for name in spec._fields}}
    elif isinstance(spec, normalizers.Lowercase):
        yield _map(_unicode.lower_map().items())
    elif isinstance(spec, normalizers.StripAccents):
        yield _map((ord(char), "") for char in _unicode.characters("hf:combiningmark"))
    elif isinstance(spec, normalizers.Nmt):
        from tokenizers_lite.normalizers.cleaning import Nmt

        yield _map({**dict.fromkeys(map(ord, Nmt._DROPPED), ""), **dict.fromkeys(map(ord, Nmt._BLANK), " ")}.items())
    elif isinstance(spec, normalizers.Prepend):
        if not spec.prepend:  # text of no origin, which tokenizers rewrites oddly
            raise _BeyondError(kind)
        yield {"type": kind, "prepend": spec.prepend}
    elif isinstance(spec, normalizers.Replace):
        yield _replacement(spec.pattern, spec.content)
    elif isinstance(spec, normalizers.Strip):
        yield {"type": kind, "strip_left": spec.strip_left, "strip_right": spec.strip_right}
    elif isinstance(spec, normalizers.Precompiled):
        yield {"type": kind, "precompiled_charsmap": spec.precompiled_charsmap, "clusters": _clusters()}
    elif isinstance(spec, normalizers.ByteLevel):
        yield {"type": kind}
    else:
        raise _BeyondError(kind)


def _replacement(pattern: Pattern, content: str) -> Step:
    if pattern.text and not pattern.regex:
        return {"type": "Replace", "pattern": {"text": pattern.text, "regex": False}, "content": content}
    return {"type": "Match", "row": _row(pattern), "content": content}


def _map(pairs: Iterable[tuple[int, str]]) -> Step:
    """Return a step that replaces characters: gap from the one before, size of the text, text."""
    out, at = bytearray(), 0
    for code, text in sorted(pairs):
        data = text.encode()
        out += _number(code - at) + _number(len(data)) + data
        at = code
    return {"type": "Map", "table": bytes(out)}


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


@cache
def _compatibility() -> list[tuple[int, str]]:
    """Return what NFKD makes of characters of which NFD makes something else."""
    import unicodedata

    from tokenizers_lite.normalizers import build

    nfd, nfkd = build(normalizers.NFD()), build(normalizers.NFKD())
    codes = (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    candidates = [
        chr(c) for c in codes if unicodedata.normalize("NFKD", chr(c)) != unicodedata.normalize("NFD", chr(c))
    ]
    return [(ord(c), nfkd.normalize(c)) for c in candidates if nfkd.normalize(c) != nfd.normalize(c)]


def _clusters() -> list[Any]:
    """Return the automaton that cuts a text into grapheme clusters."""
    from tokenizers_lite.normalizers._graphemes import CLUSTER

    pattern = re.sub(r"\\x([0-9a-f]{2})|\\U([0-9a-f]{8})", r"\\x{\1\2}", CLUSTER.pattern)
    return _built(_automaton_build.build(pattern))
