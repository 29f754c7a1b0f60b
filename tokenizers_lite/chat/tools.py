"""Tools: Python functions -> the JSON schemas that chat templates print.

The schema of a function comes from its type hints and its Google-style
docstring, as transformers 4.57 makes it (utils/chat_template_utils.py,
`get_json_schema`): same keys, same order, because templates print them.
"""

from __future__ import annotations

import inspect
import json
import re
import types
import typing

from tokenizers_lite.errors import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_NAMES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
_SUMMARY = re.compile(r"^(.*?)[\n\s]*(Args:|Returns:|Raises:|\Z)", re.DOTALL)
_ARGS = re.compile(r"\n\s*Args:\n\s*(.*?)[\n\s]*(Returns:|Raises:|\Z)", re.DOTALL)
_ARG = re.compile(r"(?:^|\n)\s*(\w+):\s*(.*?)\s*(?=\n\s*\w+:|\Z)", re.DOTALL)
_RETURNS = re.compile(r"\n\s*Returns:\n\s*(.*?)[\n\s]*(Raises:|\Z)", re.DOTALL)
_CHOICES = re.compile(r"\(choices:\s*(.*?)\)\s*$", re.IGNORECASE)


def schemas(tools: Iterable[Any]) -> list[Any]:
    """Return tools as JSON schemas: dicts as they are, functions converted.

    Raises:
        TemplateError: a tool is neither, or a function lacks hints or descriptions.
    """
    if isinstance(tools, (str, dict)):
        raise TemplateError(f"tools must be a list of JSON schemas or functions, got {type(tools).__name__}")
    made = []
    for place, tool in enumerate(tools):
        if isinstance(tool, dict):
            made.append(tool)
        elif inspect.isfunction(tool):
            made.append(schema(tool))
        else:
            raise TemplateError(f"tools[{place}] must be a JSON schema (dict) or a function, got {type(tool).__name__}")
    return made


def schema(function: Callable[..., Any]) -> dict[str, Any]:
    """Describe a function as a tool.

    >>> def add(x: int, y: int = 0):
    ...     '''Add numbers.
    ...
    ...     Args:
    ...         x: first
    ...         y: second
    ...     '''
    >>> schema(add)["function"]["parameters"]["required"]
    ['x']

    Raises:
        TemplateError: no docstring, an argument without hint or description, or a hint with no JSON type.
    """
    name = function.__name__
    doc = (inspect.getdoc(function) or "").strip()
    if not doc:
        raise TemplateError(f"tool {name}: the function has no docstring; describe it and its arguments there")
    summary, described, returned = _docstring(doc)
    parameters = _parameters(function)
    result = parameters["properties"].pop("return", None)
    if result is not None and returned is not None:
        result["description"] = returned
    for argument, kind in parameters["properties"].items():
        if argument not in described:
            raise TemplateError(f"tool {name}: the docstring's Args: does not describe {argument!r}")
        text = described[argument]
        if choices := _CHOICES.search(text):
            kind["enum"] = _choices(name, argument, choices.group(1))
            text = text[: choices.start()].strip()
        kind["description"] = text
    body = {"name": name, "description": summary, "parameters": parameters}
    if result is not None:
        body["return"] = result
    return {"type": "function", "function": body}


def _choices(name: str, argument: str, text: str) -> list[str]:
    try:
        return [choice.strip() for choice in json.loads(text)]
    except (ValueError, AttributeError, TypeError) as error:
        raise TemplateError(f"tool {name}: choices of {argument!r} must be a JSON list of strings: {error}") from None


def _docstring(doc: str) -> tuple[str | None, dict[str, str], str | None]:
    """Split a docstring into its summary, its arguments and what it returns."""
    summary, args, returns = _SUMMARY.search(doc), _ARGS.search(doc), _RETURNS.search(doc)
    described = {}
    if args:
        lines = "\n".join(line for line in args.group(1).strip().split("\n") if line.strip())
        described = {key: re.sub(r"\s*\n+\s*", " ", text.strip()) for key, text in _ARG.findall(lines)}
    return (
        summary.group(1).strip() if summary else None,
        described,
        returns.group(1).strip() if returns else None,
    )


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is inspect.Parameter.empty:
            raise TemplateError(f"tool {function.__name__}: argument {name!r} has no type hint")
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError) as error:
        raise TemplateError(f"tool {function.__name__}: a type hint cannot be read: {error}") from None
    made: dict[str, Any] = {"type": "object", "properties": {name: _kind(hint) for name, hint in hints.items()}}
    if required:
        made["required"] = required
    return made


def _kind(hint: Any) -> dict[str, Any]:
    """JSON type of one type hint."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        if hint is typing.Any:
            return {}
        return {"type": _NAMES.get(hint, "object")}
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is typing.Literal:
        return _literal(args)
    if origin is list:
        return {"type": "array", "items": _kind(args[0])} if args else {"type": "array"}
    if origin is tuple:
        return _tuple(hint, args)
    if origin is dict:
        return {"type": "object", "additionalProperties": _kind(args[1])} if len(args) == 2 else {"type": "object"}
    raise TemplateError(f"the type hint {hint} has no JSON type; use plain types, list, dict, Literal or Union")


def _union(args: tuple[Any, ...]) -> dict[str, Any]:
    kinds = [_kind(arg) for arg in args if arg is not type(None)]
    if len(kinds) == 1:
        made = kinds[0]
    elif all(isinstance(kind.get("type"), str) for kind in kinds):
        made = {"type": sorted(kind["type"] for kind in kinds)}
    else:
        made = {"anyOf": kinds}
    if type(None) in args:
        made["nullable"] = True
    return made


def _literal(args: tuple[Any, ...]) -> dict[str, Any]:
    names: list[str] = []
    for arg in args:
        if type(arg) not in _NAMES:
            raise TemplateError(f"Literal in a tool's type hint may hold only plain values, got {arg!r}")
        if _NAMES[type(arg)] not in names:
            names.append(_NAMES[type(arg)])
    return {"type": names.pop() if len(names) == 1 else names, "enum": list(args)}


def _tuple(hint: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    if not args:
        return {"type": "array"}
    if len(args) == 1 or ... in args:
        raise TemplateError(f"the type hint {hint} has no fixed length in JSON; use list[...]")
    return {"type": "array", "prefixItems": [_kind(arg) for arg in args]}
