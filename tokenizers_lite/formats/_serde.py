"""JSON values -> typed values, accepting and refusing what Rust's serde does.

tokenizers reads tokenizer.json with serde (derived structs and enums), so what
is valid follows serde's rules: unknown fields are ignored, missing ones are
errors unless they have a default, a struct may also be an array of its fields
in order, booleans are not numbers, ``1.0`` is not an integer. A parser is a
function of a JSON value and its place in the file; it returns the typed value
or raises `Mismatch`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Parser: TypeAlias = Callable[[Any, str], Any]

REQUIRED: Any = object()  # marks a field of a `struct` that has no default


class Mismatch(Exception):  # noqa: N818 - becomes a SpecError once the file's name is known
    """A value that serde would refuse: what is wrong, where, and the value."""

    def __init__(self, message: str, at: str, value: object) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.value = value


def boolean(value: object, at: str) -> bool:
    """Accept true and false."""
    if isinstance(value, bool):
        return value
    raise Mismatch("expected true or false", at, value)


def string(value: object, at: str) -> str:
    """Accept a string."""
    if isinstance(value, str):
        return value
    raise Mismatch("expected a string", at, value)


def character(value: object, at: str) -> str:
    """Accept a string of exactly one character."""
    if isinstance(value, str) and len(value) == 1:
        return value
    raise Mismatch("expected a single character", at, value)


def integer(bits: int) -> Parser:
    """Accept an unsigned integer of so many bits."""

    def parse(value: object, at: str) -> int:
        if type(value) is int and 0 <= value < 1 << bits:
            return value
        raise Mismatch(f"expected an integer from 0 to 2^{bits} - 1", at, value)

    return parse


u32 = integer(32)
usize = integer(64)


def number(value: object, at: str) -> float:
    """Accept any number, as a double."""
    if isinstance(value, float):
        return value
    if type(value) is int:
        try:
            return decimal(str(value))
        except ValueError as err:
            raise Mismatch(str(err), at, value) from None
    raise Mismatch("expected a number", at, value)


def optional(parse: Parser) -> Parser:
    """Accept null too."""
    return lambda value, at: None if value is None else parse(value, at)


def many(parse: Parser) -> Parser:
    """Accept an array of values of one kind, as a tuple."""

    def parse_all(value: object, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Mismatch("expected an array", at, value)
        return tuple(parse(item, f"{at}[{i}]") for i, item in enumerate(value))

    return parse_all


def pair(first: Parser, second: Parser) -> Parser:
    """Accept an array of two values."""

    def parse(value: object, at: str) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise Mismatch("expected an array of two", at, value)
        return first(value[0], at + "[0]"), second(value[1], at + "[1]")

    return parse


def variant(*names: str) -> Parser:
    """Accept one of the names; serde also takes ``{"name": null}`` for it."""

    def parse(value: object, at: str) -> str:
        name = value
        if isinstance(value, dict) and len(value) == 1:
            name, content = next(iter(value.items()))
            if content is not None:
                name = None
        if isinstance(name, str) and name in names:
            return name
        raise Mismatch(f"expected one of {', '.join(names)}", at, value)

    return parse


def choice(**kinds: Parser) -> Parser:
    """Accept an object with exactly one of the keys; gives (key, parsed content)."""

    def parse(value: object, at: str) -> tuple[str, Any]:
        if isinstance(value, dict) and len(value) == 1:
            name, content = next(iter(value.items()))
            if name in kinds:
                return name, kinds[name](content, f"{at}.{name}")
        raise Mismatch(f"expected an object with one key of {', '.join(kinds)}", at, value)

    return parse


def struct(
    build: Callable[..., Any], *fields: tuple[str, Parser, Any], array: bool = True, unique: bool = False
) -> Parser:
    """Accept an object, or an array where `array`, of fields (name, parser, default).

    The default is `REQUIRED`, or the value of a missing field. `build` gets the
    parsed fields by position. `unique` refuses a field that is there twice (see
    `Repeated`), as serde does where it reads the struct straight from the file.
    """
    names = frozenset(name for name, _, _ in fields)

    def parse(value: object, at: str) -> Any:
        if array and isinstance(value, list):
            return build(*_from_array(value, fields, at))
        if not isinstance(value, dict):
            raise Mismatch("expected an object", at, value)
        if unique and isinstance(value, Repeated) and names & value.repeated:
            raise Mismatch("a field is there twice", f"{at}.{min(names & value.repeated)}", value)
        parsed = []
        for name, parser, default in fields:
            if name in value:
                parsed.append(parser(value[name], f"{at}.{name}"))
            elif default is REQUIRED:
                raise Mismatch(f"the field {name!r} is missing", at, value)
            else:
                parsed.append(default)
        return build(*parsed)

    return parse


def _from_array(value: list[Any], fields: tuple[tuple[str, Parser, Any], ...], at: str) -> list[Any]:
    """Parse a struct given as an array; only defaults that are not None may be left out."""
    if len(value) > len(fields) or any(default in (REQUIRED, None) for _, _, default in fields[len(value) :]):
        raise Mismatch(f"expected an object or an array of {len(fields)}", at, value)
    parsed = [parser(item, f"{at}[{i}]") for i, (item, (_, parser, _)) in enumerate(zip(value, fields, strict=False))]
    return parsed + [default for _, _, default in fields[len(value) :]]


def first_of(what: str, *parsers: Parser) -> Parser:
    """Accept what the first parser that can read it makes of a value (serde's untagged enum)."""

    def parse(value: object, at: str) -> Any:
        for parser in parsers:
            try:
                return parser(value, at)
            except Mismatch:  # noqa: PERF203 - at most a dozen parsers
                continue
        raise Mismatch(f"this is no {what} that tokenizers 0.23 knows", at, value)

    return parse


class Repeated(dict[str, "Any"]):
    """A JSON object in which a key is there more than once; the last value counts."""

    repeated: frozenset[str] = frozenset()


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of an object's pairs (`object_pairs_hook`), noting repeated keys."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    marked = Repeated(made)
    seen: set[str] = set()
    marked.repeated = frozenset(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return marked


_POW10 = [float(f"1e{n}") for n in range(309)]
_U64 = (1 << 64) - 1


def decimal(text: str) -> float:
    """Read a number as serde_json does, which is not always the nearest double.

    serde_json 1 (de.rs, without its float_roundtrip feature) keeps as many
    digits as fit 64 bits and scales them by one multiplication or division, so
    the result may differ from Python's in the last bit; Unigram scores do.

    Raises:
        ValueError: the number is out of range.
    """
    mantissa, _, exponent_text = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    significand, exponent = _significand(whole, fraction)
    if exponent_text:
        shift = int(exponent_text)
        if abs(shift) > 0x7FFFFFFF:
            if significand and shift > 0:
                raise ValueError(f"number out of range: {text[:40]}")
            return -0.0 if text[0] == "-" else 0.0
        exponent += shift
    value = _scale(float(significand), exponent, text)
    return -value if text[0] == "-" else value


def _significand(whole: str, fraction: str) -> tuple[int, int]:
    """Collect the digits that fit 64 bits; the exponent makes up for the dropped ones."""
    if len(whole) + len(fraction) < 20:
        return int(whole + fraction), -len(fraction)
    significand = exponent = 0
    for i, digit in enumerate(whole):
        wider = significand * 10 + int(digit)
        if wider > _U64:
            exponent = len(whole) - i
            break
        significand = wider
    for digit in fraction:
        wider = significand * 10 + int(digit)
        if wider > _U64:
            break
        significand = wider
        exponent -= 1
    return significand, exponent


def _scale(value: float, exponent: int, text: str) -> float:
    """Multiply by a power of ten with the roundings serde_json makes."""
    while value and exponent < -308:
        value /= 1e308
        exponent += 308
    if not value:
        return value
    if exponent >= 0:
        value = value * _POW10[exponent] if exponent < 309 else float("inf")
        if value == float("inf"):
            raise ValueError(f"number out of range: {text[:40]}")
        return value
    return value / _POW10[-exponent]
