"""Spec <-> plain values (maps, arrays, text, numbers), for the compact format.

A component becomes a map of its fields with its name under "type"; the field
that holds it says which family of components the name is looked up in.
"""

from __future__ import annotations

from tokenizers_lite import spec as spec_module
from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Field of the spec -> module of spec that its components live in.
FAMILIES = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pre_tokenizers",
    "model": "models",
    "post_processor": "post_processors",
    "decoder": "decoders",
}


def _error(message: str, **where: Any) -> Exception:
    """Return a SpecError; its module is imported only when something is wrong."""
    from tokenizers_lite.errors import SpecError

    return SpecError(message, **where)


def to_plain(value: Any) -> Any:
    """Return records as maps, all the way down."""
    if isinstance(value, Record):
        return {"type": type(value).__name__, **{name: to_plain(getattr(value, name)) for name in value._fields}}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(value: Any, family: str, file: str, field: str, trusted: bool = False) -> Any:
    """Return maps with a "type" as records of a family, arrays as tuples.

    Raises:
        SpecError: a name or a field that the family does not have, or, if the
            file is not trusted, a value of another type than its field's.
    """
    if isinstance(value, list):
        return tuple(from_plain(item, family, file, f"{field}[{at}]", trusted) for at, item in enumerate(value))
    if not isinstance(value, dict) or "type" not in value:
        return value
    name = value["type"]
    module = __import__(f"tokenizers_lite.spec.{family}", fromlist=["*"])
    cls = getattr(module, str(name), None) or getattr(spec_module, str(name), None)
    if not (isinstance(cls, type) and issubclass(cls, Record)):
        raise _error("unknown component; update tokenizers-lite", file=file, field=field, value=name)
    items = ((str(key), item) for key, item in value.items() if key != "type")
    fields = {key: from_plain(item, family, file, f"{field}.{key}", trusted) for key, item in items}
    try:
        made = cls(**fields)
    except TypeError as exc:
        raise _error(f"{exc}; update tokenizers-lite", file=file, field=field) from exc
    if not trusted:
        _check(made, file, field)
    return made


def component_from_plain(name: str, value: Any, file: str, trusted: bool = False) -> Any:
    """Return the value of one field of the spec."""
    made = from_plain(value, FAMILIES.get(name, "models"), file, name, trusted)
    if not trusted:
        from tokenizers_lite.formats._fields import fits

        if not fits(made, spec_module.Spec.__annotations__[name]):
            raise _error("not a value for this field; the file is damaged", file=file, field=name)
    return made


def _check(made: Record, file: str, field: str) -> None:
    from tokenizers_lite.formats._fields import odd_field

    odd = odd_field(made)
    if odd is not None:
        value = getattr(made, odd)
        raise _error("a value of another type; the file is damaged", file=file, field=f"{field}.{odd}", value=value)
