"""What an operation of a template will cost, known before it is done.

Jinja's sandbox keeps a template from reaching Python; it does not keep
``'x' * 10**10`` or ``'{:>9999999999}'.format(1)`` from eating the machine.
Here the operators, string methods and filters whose result can be much larger
than their arguments are charged first and done afterwards, by the original
function, so that a template within its bounds renders exactly as without them.
"""

from __future__ import annotations

import re
from functools import wraps
from string import Formatter
from types import GeneratorType

from tokenizers_lite.chat.bounds import SLOT, BoundExceeded, current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_BITS = 14_000  # a little less than the 4,300 digits that CPython itself prints
_MAX_SLOW = 100_000  # characters for functions that are slower than linear
_PRINTF = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d+)?(?:\.(\*|\d+))?")
_DIGITS = re.compile(r"\d+")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _too_large(what: str) -> BoundExceeded:
    return BoundExceeded(f"{what} is too large")


# Operators


def _printf(template: str, values: Any) -> None:
    """Charge ``template % values``."""
    budget = current()
    fields = _PRINTF.findall(template)
    parts = values if isinstance(values, tuple) else (values,)
    heaviest = max((budget.weigh(part) for part in parts), default=0)
    star = max((abs(_number(part)) for part in parts), default=0)
    widths = sum(star if text == "*" else int(text[:9]) for field in fields for text in field if text)
    budget.step(len(template) + widths + heaviest * len(fields))


def _multiply(left: Any, right: Any) -> None:
    """Charge ``left * right``."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > _MAX_BITS:
            raise _too_large("a product")
        return
    many, times = (left, right) if isinstance(right, int) else (right, left)
    if isinstance(many, (str, bytes, list, tuple)):
        current().step(max(0, _number(times)) * (len(many) if isinstance(many, (str, bytes)) else SLOT * len(many)))


def charge_operator(operator: str, left: Any, right: Any) -> None:
    """Charge an arithmetic operator before it is applied."""
    if operator == "*":
        _multiply(left, right)
    elif operator == "%" and isinstance(left, (str, bytes)):
        _printf(str(left), right)
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        if abs(right) * left.bit_length() > _MAX_BITS:
            raise _too_large("a power")
    elif operator == "+":
        budget = current()
        for side in (left, right):
            if isinstance(side, (str, bytes)):
                budget.step(len(side))
            elif isinstance(side, (list, tuple)):
                budget.step(SLOT * len(side))


# Methods of text and numbers


def _replaced(text: Any, old: Any = "", new: Any = "", *_: Any, **__: Any) -> int:
    both = isinstance(text, (str, bytes)) and isinstance(old, (str, bytes)) and old
    return (text.count(old) if both else len(text) + 1) * current().weigh(new)


def _translated(text: Any, table: Any = None, *_: Any, **__: Any) -> int:
    values = table.values() if isinstance(table, dict) else ()
    return len(text) * max((len(value) for value in values if isinstance(value, str)), default=1)


def _encoded(text: Any, *args: Any, **kwargs: Any) -> int:
    slow = any(isinstance(name, str) and name.lower() in {"idna", "punycode"} for name in (*args, *kwargs.values()))
    if slow and len(text) > _MAX_SLOW // 100:
        raise _too_large("text for a slow encoding")
    return 4 * len(text)


def _joined(separator: Any, items: Any = (), *_: Any, **__: Any) -> int:
    return len(separator) * len(items) + sum(map(current().weigh, items))


_METHODS: dict[str, Callable[..., int]] = {
    "center": lambda _, width=0, *__: _number(width),
    "ljust": lambda _, width=0, *__: _number(width),
    "rjust": lambda _, width=0, *__: _number(width),
    "zfill": lambda _, width=0, *__: _number(width),
    "expandtabs": lambda text, tabsize=8: (text.count("\t") if isinstance(text, str) else len(text)) * _number(tabsize),
    "to_bytes": lambda _, length=1, *__, **___: _number(length),
    "replace": _replaced,
    "translate": _translated,
    "encode": _encoded,
    "decode": _encoded,
    "join": _joined,
}


def charge_method(owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Charge ``owner.name(*args)`` for a built-in owner; return the arguments to use."""
    budget = current()
    if name == "join" and args and not isinstance(args[0], (str, list, tuple, dict, set, frozenset)):
        args = (list(budget.ticking(args[0])), *args[1:])  # an iterator has no size until it is run
    cost = len(owner) if isinstance(owner, (str, bytes, list, tuple)) else 0
    cost += sum(len(arg) for arg in args if isinstance(arg, (str, bytes)))
    if name in _METHODS:
        cost += max(0, _METHODS[name](owner, *args, **kwargs))
    budget.step(cost)
    return args


class BoundedFormat(Formatter):
    """`str.format` whose widths, precisions and parts are charged. Mixed into the sandbox's formatters."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one field."""
        budget = current()
        budget.step(budget.weigh(value) + sum(int(digits[:9]) for digits in _DIGITS.findall(format_spec)))
        return str(super().format_field(value, format_spec))

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """Apply ``!r``, ``!s`` or ``!a``."""
        if conversion is not None:
            current().step(current().weigh(value))
        return super().convert_field(value, conversion)


# Filters: each function takes the filter's own arguments and gives the extra cost


def _indent(text: Any, width: Any = 4, *_: Any, **__: Any) -> int:
    step = len(width) if isinstance(width, str) else _number(width)
    return (len(str(text).splitlines()) + 1) * max(0, step)


def _tojson(value: Any, _ascii: Any = False, indent: Any = None, separators: Any = None, *_: Any, **__: Any) -> int:
    budget = current()
    weight = budget.weigh(value)
    deeper = (len(indent) if isinstance(indent, str) else max(0, _number(indent))) * budget.nesting(value)
    glue = sum(len(part) for part in separators or () if isinstance(part, str))
    return weight + (weight // SLOT + 1) * (glue + deeper)


def _round(_: Any, precision: Any = 0, *__: Any, **___: Any) -> int:
    if abs(_number(precision)) > _MAX_BITS // 4:
        raise _too_large("a precision")
    return 0


def _slow(text: Any, *args: Any, **kwargs: Any) -> int:
    weight = current().weigh(text)
    if weight > _MAX_SLOW or any(current().weigh(arg) > 1_000 for arg in (*args, *kwargs.values())):
        raise _too_large("an argument")
    return 10 * weight


def _int(value: Any, *_: Any, **__: Any) -> int:
    if isinstance(value, (str, bytes)) and len(value) > _MAX_BITS:
        raise _too_large("a number")
    return 0


def _sum(items: Any, _attribute: Any = None, start: Any = 0, *_: Any, **__: Any) -> int:
    if isinstance(start, (int, float)):
        return 0
    # Adding up lists copies what was added before each time.
    return current().weigh(items) * (len(items) if hasattr(items, "__len__") else _MAX_SLOW)


def _join(items: Any, d: Any = "", *_: Any, **__: Any) -> int:
    return current().weigh(items) + len(items) * current().weigh(d) if hasattr(items, "__len__") else 0


def _format(template: Any, *args: Any, **kwargs: Any) -> int:
    _printf(str(template), tuple(kwargs.values()) or args)
    return 0


def _whole(value: Any, *_: Any, **__: Any) -> int:
    return current().weigh(value)


_FILTERS: dict[str, Callable[..., int]] = {
    "batch": lambda _, linecount=0, fill_with=None: SLOT * _number(linecount) if fill_with is not None else 0,
    "slice": lambda _, slices=0, *__, **___: SLOT * _number(slices),
    "center": lambda _, width=80: _number(width),
    "indent": _indent,
    "tojson": _tojson,
    "round": _round,
    "int": _int,
    "sum": _sum,
    "join": _join,
    "format": _format,
    "replace": lambda text, *args, **kwargs: _replaced(str(text), *args, **kwargs),
    "pprint": _slow,
    "striptags": _slow,
    "urlize": _slow,
    "wordwrap": _slow,
    "xmlattr": _whole,
    "urlencode": _whole,
    "string": _whole,
    "forceescape": _whole,
    "e": _whole,
    "escape": _whole,
    "upper": _whole,
    "lower": _whole,
    "title": _whole,
    "capitalize": _whole,
    "trim": _whole,
    "truncate": _whole,
    "wordcount": _whole,
    "dictsort": _whole,
    "groupby": _whole,
    "sort": _whole,
    "unique": _whole,
    "min": _whole,
    "max": _whole,
}
_LAZY = (GeneratorType, map, filter, zip, reversed)
_MATERIALISED = frozenset({"join", "sum", "groupby", "sort", "unique", "min", "max"})


def guard_filter(name: str, original: Callable[..., Any], *, passes_argument: bool) -> Callable[..., Any]:
    """Return the filter with its cost charged before and its result after."""
    extra = _FILTERS.get(name)
    at = 1 if passes_argument else 0  # the context or environment comes first

    @wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        budget = current()
        if len(args) > at and isinstance(args[at], _LAZY):
            items = budget.ticking(args[at])
            args = (*args[:at], list(items) if name in _MATERIALISED else items, *args[at + 1 :])
        budget.step(max(0, extra(*args[at:], **kwargs)) if extra else 0)
        return budget.made(original(*args, **kwargs))

    return guarded


def guard_lipsum(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return Jinja's `lipsum` global with its cost charged."""

    @wraps(original)
    def lipsum(n: int = 5, html: bool = True, min: int = 20, max: int = 100) -> Any:  # noqa: A002
        current().step(_number(n) * (abs(_number(min)) + abs(_number(max))) * SLOT)
        return original(n, html, min, max)

    return lipsum
