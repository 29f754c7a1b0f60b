"""Spec <-> plain values (maps, arrays, text, numbers), for the compact format.

A component becomes a map of its fields with its name under "type"; the field
that holds it says which family of components the name is looked up in.
"""

from __future__ import annotations

from tokenizers_lite import spec as spec_module
from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError

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


def to_plain(value: Any) -> Any:
    """Return records as maps, all the way down."""
    if isinstance(value, Record):
        return {"type": type(value).__name__, **{name: to_plain(getattr(value, name)) for name in value._fields}}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(value: Any, family: str, file: str, field: str) -> Any:
    """Return maps with a "type" as records of a family, arrays as tuples.

    Raises:
        SpecError: a name or a field that the family does not have.
    """
    if isinstance(value, list):
        return tuple(from_plain(item, family, file, f"{field}[{at}]") for at, item in enumerate(value))
    if not isinstance(value, dict) or "type" not in value:
        return value
    name = value["type"]
    module = __import__(f"tokenizers_lite.spec.{family}", fromlist=["*"])
    cls = getattr(module, str(name), None) or getattr(spec_module, str(name), None)
    if not (isinstance(cls, type) and issubclass(cls, Record)):
        raise SpecError("unknown component; update tokenizers-lite", file=file, field=field, value=name)
    fields = {key: from_plain(item, family, file, f"{field}.{key}") for key, item in value.items() if key != "type"}
    try:
        return cls(**fields)
    except TypeError as exc:
        raise SpecError(f"{exc}; update tokenizers-lite", file=file, field=field) from exc


def component_from_plain(name: str, value: Any, file: str) -> Any:
    """Return the value of one field of the spec."""
    return from_plain(value, FAMILIES.get(name, "models"), file, name)
