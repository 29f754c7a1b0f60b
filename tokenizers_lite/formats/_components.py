"""The components of tokenizer.json, field by field, as tokenizers 0.23.3 declares them.

Source: tokenizers/src/{normalizers,pre_tokenizers,processors,decoders}/mod.rs
and the structs beside them, utils/truncation.rs and utils/padding.rs. A
component is found by its ``type``; files older than that field, or with a type
nobody knows, get the first component whose fields fit, in the order given here.
"""

from __future__ import annotations

from tokenizers_lite.formats._serde import (
    REQUIRED,
    Mismatch,
    boolean,
    character,
    choice,
    first_of,
    integer,
    many,
    optional,
    pair,
    string,
    struct,
    u32,
    usize,
    variant,
)
from tokenizers_lite.spec import Padding, Pattern, Truncation, decoders, normalizers, post_processors, pre_tokenizers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tokenizers_lite.formats._serde import Parser

__all__ = ["decoder", "normalizer", "padding", "post_processor", "pre_tokenizer", "truncation"]


def _kind(name: str) -> tuple[str, Parser, Any]:
    """Make the field that holds a component's own name."""
    return "type", variant(name), REQUIRED


def _untyped(build: Callable[..., Any]) -> Callable[..., Any]:
    """Drop the type, the first field, before building."""
    return lambda _, *values: build(*values)


def _unit(name: str, build: Callable[[], Any]) -> Parser:
    """Parse a component without fields."""
    return struct(_untyped(build), _kind(name))


# What tokenizers writes as type, where it is not the name it looks for when reading.
_WRITTEN_AS = {"BertNormalizer": "Bert", "CharDelimiterSplit": "Delimiter"}


def _any(what: str, *kinds: tuple[str, Parser]) -> Parser:
    """Parse one of several components: by type, else the first that fits."""
    by_type = dict(kinds)
    typed = variant(*by_type)
    # Precompiled wants to borrow its string, which serde cannot do while guessing.
    guess = first_of(what, *(parser for name, parser in kinds if name != "Precompiled"))

    def parse(value: Any, at: str) -> Any:
        if not isinstance(value, dict) or "type" not in value:
            return guess(value, at)
        try:
            name = typed(value["type"], at)
        except Mismatch:
            try:
                return guess(value, at)
            except Mismatch:
                meant = _WRITTEN_AS.get(value["type"]) if isinstance(value["type"], str) else None
                if meant in by_type:
                    by_type[meant](value, at)  # raises with the field that does not fit
                message = f"no {what} of this type is known to tokenizers 0.23; known are {', '.join(by_type)}"
                raise Mismatch(message, f"{at}.type", value["type"]) from None
        return by_type[name](value, at)

    return parse


def _nested(parser: str) -> Parser:
    """Parse an array of components with one of this module's parsers, by name as it is being defined."""

    def parse(value: Any, at: str) -> Any:
        return many(globals()[parser])(value, at)

    return parse


_PATTERN: Parser = choice(String=string, Regex=string)


def _pattern(value: Any, at: str) -> Pattern:
    kind, text = _PATTERN(value, at)
    return Pattern(text, kind == "Regex")


def _base64(value: Any, at: str) -> bytes:
    """Decode base64 as the base64 crate 0.13 does: canonical, but the padding may be left out."""
    from base64 import b64decode, b64encode

    text = string(value, at)
    body = text.rstrip("=")
    padding = -len(body) % 4
    try:
        data = b64decode(body.encode("ascii") + b"=" * padding, validate=True)
    except ValueError as err:
        raise Mismatch(f"not base64: {err}", at, value) from None
    if len(text) - len(body) > padding or b64encode(data).decode().rstrip("=") != body:
        raise Mismatch("not canonical base64", at, value)
    return data


def _charsmap(value: Any, at: str) -> bytes:
    """Decode a character map and check its frame: size of the trie, the trie, UTF-8 text (spm_precompiled, `parse`)."""
    data = _base64(value, at)
    start = 4 + int.from_bytes(data[:4], "little") // 4 * 4
    if len(data) < 4 or len(data) < start:
        raise Mismatch("the character map is cut short", at, value)
    try:
        data[start:].decode()
    except UnicodeDecodeError as err:
        raise Mismatch(f"the character map's replacements are not UTF-8: {err.reason}", at, value) from None
    return data


def _metaspace(build: Callable[..., Any]) -> Parser:
    """Parse Metaspace with its legacy `add_prefix_space` (pre_tokenizers/metaspace.rs)."""

    def make(_: str, replacement: str, prefix: bool | None, scheme: str, split: bool | None, __: str | None) -> Any:
        if prefix is False and scheme != "never":
            raise Mismatch("add_prefix_space is false but prepend_scheme is not 'never'", "", scheme)
        return build(replacement, scheme, True if split is None else split)

    parse = struct(
        make,
        _kind("Metaspace"),
        ("replacement", character, REQUIRED),
        ("add_prefix_space", optional(boolean), None),
        ("prepend_scheme", variant("first", "never", "always"), "always"),
        ("split", optional(boolean), None),
        ("str_rep", optional(string), None),
    )

    def located(value: Any, at: str) -> Any:
        try:
            return parse(value, at)
        except Mismatch as err:
            raise Mismatch(err.message, err.at or f"{at}.add_prefix_space", err.value) from None

    return located


def _byte_level(build: Callable[..., Any]) -> Parser:
    return struct(
        _untyped(build),
        _kind("ByteLevel"),
        ("add_prefix_space", boolean, REQUIRED),
        ("trim_offsets", boolean, REQUIRED),
        ("use_regex", boolean, True),
        array=False,
    )


def _replace(build: Callable[..., Any]) -> Parser:
    return struct(build, ("pattern", _pattern, REQUIRED), ("content", string, REQUIRED))


_BEHAVIOR: Parser = variant("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
_TOKEN: Parser = pair(string, u32)

normalizer: Parser = _any(
    "normalizer",
    (
        "Bert",
        struct(
            normalizers.BertNormalizer,
            ("clean_text", boolean, REQUIRED),
            ("handle_chinese_chars", boolean, REQUIRED),
            ("strip_accents", optional(boolean), None),
            ("lowercase", boolean, REQUIRED),
        ),
    ),
    ("Strip", struct(normalizers.Strip, ("strip_left", boolean, REQUIRED), ("strip_right", boolean, REQUIRED))),
    ("StripAccents", _unit("StripAccents", normalizers.StripAccents)),
    ("NFC", _unit("NFC", normalizers.NFC)),
    ("NFD", _unit("NFD", normalizers.NFD)),
    ("NFKC", _unit("NFKC", normalizers.NFKC)),
    ("NFKD", _unit("NFKD", normalizers.NFKD)),
    ("Sequence", struct(normalizers.Sequence, ("normalizers", _nested("normalizer"), REQUIRED))),
    ("Lowercase", _unit("Lowercase", normalizers.Lowercase)),
    ("Nmt", _unit("Nmt", normalizers.Nmt)),
    ("Precompiled", struct(normalizers.Precompiled, ("precompiled_charsmap", _charsmap, REQUIRED))),
    ("Replace", _replace(normalizers.Replace)),
    ("Prepend", struct(normalizers.Prepend, ("prepend", string, REQUIRED))),
    ("ByteLevel", _unit("ByteLevel", normalizers.ByteLevel)),
)

_DELIMITER = struct(
    _untyped(pre_tokenizers.CharDelimiterSplit),
    _kind("CharDelimiterSplit"),
    ("delimiter", character, REQUIRED),
    array=False,
)

pre_tokenizer: Parser = _any(
    "pre-tokenizer",
    ("BertPreTokenizer", _unit("BertPreTokenizer", pre_tokenizers.BertPreTokenizer)),
    ("ByteLevel", _byte_level(pre_tokenizers.ByteLevel)),
    # Known by type as Delimiter, but the struct wants CharDelimiterSplit (what
    # tokenizers writes): the first never loads and the second loads by its fields.
    ("Delimiter", _DELIMITER),
    ("Metaspace", _metaspace(pre_tokenizers.Metaspace)),
    ("Whitespace", _unit("Whitespace", pre_tokenizers.Whitespace)),
    (
        "Sequence",
        struct(
            _untyped(pre_tokenizers.Sequence),
            _kind("Sequence"),
            ("pretokenizers", _nested("pre_tokenizer"), REQUIRED),
            array=False,
        ),
    ),
    (
        "Split",
        struct(
            _untyped(pre_tokenizers.Split),
            _kind("Split"),
            ("pattern", _pattern, REQUIRED),
            ("behavior", _BEHAVIOR, REQUIRED),
            ("invert", boolean, REQUIRED),
        ),
    ),
    (
        "Punctuation",
        struct(
            _untyped(pre_tokenizers.Punctuation), _kind("Punctuation"), ("behavior", _BEHAVIOR, "Isolated"), array=False
        ),
    ),
    ("WhitespaceSplit", _unit("WhitespaceSplit", pre_tokenizers.WhitespaceSplit)),
    (
        "Digits",
        struct(_untyped(pre_tokenizers.Digits), _kind("Digits"), ("individual_digits", boolean, REQUIRED), array=False),
    ),
    ("UnicodeScripts", _unit("UnicodeScripts", pre_tokenizers.UnicodeScripts)),
    (
        "FixedLength",
        struct(_untyped(pre_tokenizers.FixedLength), _kind("FixedLength"), ("length", usize, 5), array=False),
    ),
)

_PIECE: Parser = choice(
    Sequence=struct(
        lambda name, type_id: post_processors.TemplatePiece(name, False, type_id),
        ("id", variant("A", "B"), REQUIRED),
        ("type_id", u32, REQUIRED),
    ),
    SpecialToken=struct(
        lambda name, type_id: post_processors.TemplatePiece(name, True, type_id),
        ("id", string, REQUIRED),
        ("type_id", u32, REQUIRED),
    ),
)
_SPECIAL_TOKEN: Parser = struct(
    lambda _, ids, tokens: (ids, tokens),
    ("id", string, REQUIRED),
    ("ids", many(u32), REQUIRED),
    ("tokens", many(string), REQUIRED),
    unique=True,
)


def _piece(value: Any, at: str) -> Any:
    return _PIECE(value, at)[1]


def _special_tokens(value: Any, at: str) -> tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...]:
    """Parse the special tokens of a template; a piece finds its token by the key, not by the `id` inside."""
    if not isinstance(value, dict):
        raise Mismatch("expected an object", at, value)
    return tuple((name, *_SPECIAL_TOKEN(token, f"{at}.{name}")) for name, token in value.items())


_POST_PROCESSORS: tuple[tuple[str, Parser], ...] = (
    (
        "RobertaProcessing",
        struct(
            post_processors.RobertaProcessing,
            ("sep", _TOKEN, REQUIRED),
            ("cls", _TOKEN, REQUIRED),
            ("trim_offsets", boolean, REQUIRED),
            ("add_prefix_space", boolean, REQUIRED),
            unique=True,
        ),
    ),
    (
        "BertProcessing",
        struct(post_processors.BertProcessing, ("sep", _TOKEN, REQUIRED), ("cls", _TOKEN, REQUIRED), unique=True),
    ),
    ("ByteLevel", _byte_level(post_processors.ByteLevel)),
    (
        "TemplateProcessing",
        struct(
            post_processors.TemplateProcessing,
            ("single", many(_piece), REQUIRED),
            ("pair", many(_piece), REQUIRED),
            ("special_tokens", _special_tokens, REQUIRED),
            unique=True,
        ),
    ),
    (
        "Sequence",
        struct(
            _untyped(post_processors.Sequence),
            _kind("Sequence"),
            ("processors", _nested("post_processor"), REQUIRED),
            array=False,
        ),
    ),
)
_fitting = first_of("post-processor", *(parser for _, parser in _POST_PROCESSORS))


def post_processor(value: Any, at: str) -> Any:
    """Parse a post-processor: the first whose fields fit, whatever its type says.

    The type is checked by ByteLevel and Sequence alone (processors/mod.rs), so a
    BertProcessing with the fields of a RobertaProcessing is one.
    """
    try:
        return _fitting(value, at)
    except Mismatch:
        meant = value.get("type") if isinstance(value, dict) else None
        parser = dict(_POST_PROCESSORS).get(meant) if isinstance(meant, str) else None
        if parser is not None:
            parser(value, at)  # raises with the field that does not fit
        raise


decoder: Parser = _any(
    "decoder",
    ("BPEDecoder", struct(decoders.BPEDecoder, ("suffix", string, REQUIRED))),
    ("ByteLevel", _byte_level(decoders.ByteLevel)),
    ("WordPiece", struct(decoders.WordPiece, ("prefix", string, REQUIRED), ("cleanup", boolean, REQUIRED))),
    ("Metaspace", _metaspace(decoders.Metaspace)),
    (
        "CTC",
        struct(
            decoders.CTC,
            ("pad_token", string, REQUIRED),
            ("word_delimiter_token", string, REQUIRED),
            ("cleanup", boolean, REQUIRED),
        ),
    ),
    (
        "Sequence",
        struct(_untyped(decoders.Sequence), _kind("Sequence"), ("decoders", _nested("decoder"), REQUIRED), array=False),
    ),
    ("Replace", _replace(decoders.Replace)),
    ("Fuse", _unit("Fuse", decoders.Fuse)),
    (
        "Strip",
        struct(decoders.Strip, ("content", character, REQUIRED), ("start", usize, REQUIRED), ("stop", usize, REQUIRED)),
    ),
    ("ByteFallback", _unit("ByteFallback", decoders.ByteFallback)),
)

truncation: Parser = struct(
    lambda direction, max_length, strategy, stride: Truncation(max_length, strategy, stride, direction),
    ("direction", variant("Left", "Right"), "Right"),
    ("max_length", usize, REQUIRED),
    ("strategy", variant("LongestFirst", "OnlyFirst", "OnlySecond"), REQUIRED),
    ("stride", usize, REQUIRED),
    unique=True,
)


def _strategy(value: Any, at: str) -> int | None:
    """Parse ``"BatchLongest"`` (None) or ``{"Fixed": n}``."""
    try:
        variant("BatchLongest")(value, at)
    except Mismatch:
        return int(choice(Fixed=integer(64))(value, at)[1])
    return None


padding: Parser = struct(
    Padding,
    ("strategy", _strategy, REQUIRED),
    ("direction", variant("Left", "Right"), REQUIRED),
    ("pad_to_multiple_of", optional(usize), None),
    ("pad_id", u32, REQUIRED),
    ("pad_type_id", u32, REQUIRED),
    ("pad_token", string, REQUIRED),
    unique=True,
)
