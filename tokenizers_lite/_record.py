"""Frozen records: a class of annotated fields becomes an immutable value.

`dataclasses` would do, but importing it costs more than everything else that
`load` and `encode` import together (it pulls in `inspect`, `ast`, `dis`), and
process start is what users of small machines feel. A record supports the part
of a frozen dataclass that the spec needs: keyword or positional construction,
defaults, equality, hashing, `repr`, pickling and `replace`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from collections.abc import Callable
    from inspect import Signature
    from typing import Any

    if sys.version_info >= (3, 11):
        from typing import Self, dataclass_transform
    else:
        from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for `typing.dataclass_transform`, which only checkers need."""
        return lambda cls: cls


class _Signature:
    """What `help` and `inspect.signature` show of a record: its fields, made when asked for."""

    def __get__(self, _record: Record | None, cls: type[Record]) -> Signature:
        from inspect import Parameter, Signature, get_annotations

        types: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            types.update(get_annotations(base))
        return Signature(
            [
                Parameter(
                    name,
                    Parameter.POSITIONAL_OR_KEYWORD,
                    default=cls._defaults.get(name, Parameter.empty),
                    annotation=types[name],
                )
                for name in cls._fields
            ]
        )


@dataclass_transform(frozen_default=True, eq_default=True)
class Record:
    """Base of all frozen records. Fields are the class annotations, in order."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    _defaults: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed
    __signature__ = _Signature()

    def __init_subclass__(cls) -> None:
        own = cls.__annotations__  # its own only, from Python 3.10 on
        cls._fields = cls._fields + tuple(name for name in own if name not in cls._fields)
        cls._defaults = {**cls._defaults, **{n: cls.__dict__[n] for n in own if n in cls.__dict__}}
        for name in own:
            if name in cls.__dict__:
                delattr(cls, name)  # or it would answer for fields that are not made yet

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = self._fields
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__} takes at most {len(fields)} fields, got {len(args)}")
        values = dict(zip(fields, args, strict=False))
        for name, value in kwargs.items():
            if name not in fields or name in values:
                raise TypeError(f"{type(self).__name__} got an unexpected or repeated field {name!r}")
            values[name] = value
        for name in fields:
            if name not in values:
                if name not in self._defaults:
                    raise TypeError(f"{type(self).__name__} is missing the field {name!r}")
                values[name] = self._defaults[name]
        self.__dict__.update(values)

    @classmethod
    def lazy(cls, makers: dict[str, Callable[[], Any]]) -> Self:
        """Return a record whose fields are made when they are first read; fields left out get their defaults.

        Makers must be pure: two threads may both run one.
        """
        self = cls.__new__(cls)
        self.__dict__["_makers"] = makers
        self.__dict__.update((name, value) for name, value in cls._defaults.items() if name not in makers)
        return self

    def __getattr__(self, name: str) -> Any:
        maker = self.__dict__.get("_makers", {}).get(name)
        if maker is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        value = self.__dict__[name] = maker()
        return value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; make a new one with replace({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; {name!r} cannot be deleted")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._fields)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._values())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with the given fields changed."""
        return type(self)(**{**{n: getattr(self, n) for n in self._fields if n not in changes}, **changes})


def _rebuild(cls: type[Record], values: tuple[Any, ...]) -> Record:
    """Unpickle a record."""
    return cls(*values)
