"""Whether values fit the annotations of a record's fields: what a damaged file holds may be of any type."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite._record import Record

_PLAIN: dict[str, Any] = {"str": str, "int": int, "bool": bool, "bytes": bytes, "None": type(None)}


def odd_field(record: Record) -> str | None:
    """Return the name of a field whose value is of another type than annotated, None if all fit."""
    kinds: dict[str, str] = {}
    for cls in reversed(type(record).__mro__[:-1]):
        kinds |= cls.__annotations__
    return next((name for name in record._fields if not fits(getattr(record, name), kinds[name])), None)


def fits(value: Any, kind: str) -> bool:
    """Tell whether a value is of a kind, which is an annotation as it stands in the source.

    >>> fits((1, 2), "tuple[int, ...]"), fits(("a", 1), "tuple[str, str]"), fits(None, "str | None")
    (True, False, True)
    """
    if " | " in kind:
        return any(fits(value, part) for part in kind.split(" | "))
    name, _, inner = kind.partition("[")
    if name in ("tuple", "Sequence"):
        return isinstance(value, tuple) and _items_fit(value, _split(inner[:-1]), name == "Sequence")
    if name == "Mapping":
        of_key, of_value = _split(inner[:-1])
        return isinstance(value, dict) and all(fits(k, of_key) and fits(v, of_value) for k, v in value.items())
    if name == "float":
        return type(value) in (int, float)
    if name in _PLAIN:
        return type(value) is _PLAIN[name]  # True is no int here
    return any(cls.__name__ == name for cls in type(value).__mro__)


def _items_fit(items: tuple[Any, ...], kinds: list[str], alike: bool) -> bool:
    if alike or kinds[-1] == "...":
        return all(fits(item, kinds[0]) for item in items)
    return len(items) == len(kinds) and all(map(fits, items, kinds))


def _split(kinds: str) -> list[str]:
    """Split at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for char in kinds:
        depth += (char == "[") - (char == "]")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]
