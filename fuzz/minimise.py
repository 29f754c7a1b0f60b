"""Make a find smaller while it stays wrong: text, ids, and the spec (delta debugging)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from fuzz import laws
from fuzz.known import known

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

SECONDS = 60.0


def still_wrong(case: Json) -> str | None:
    """Return what is wrong with a case now; None if nothing is, or only what is known."""
    given, law = case["input"], case["law"]
    if law == "sentencepiece":
        from fuzz import spm

        return spm.still_wrong(case)
    if law == "chat":
        from fuzz import chats

        return chats.still_wrong(case)
    if law == "emulated":
        from fuzz import emulated

        return emulated.still_wrong(case)
    if law == "cpp":
        from fuzz import native

        return native.still_wrong(case)
    if "model" in case:
        from fuzz.models import model

        wrong = laws.check(model(case["model"]), "encode" if law == "ids" else law, given)
    elif law == "load":
        try:
            wrong = laws.load(case["spec"])[1]
        except laws.Panic:
            return None
    else:
        wrong = laws.confirmed(case["spec"], law, given, tries=12)
    return None if wrong is None or known(wrong) else wrong


def minimise(case: Json, wrong_now: Callable[[Json], str | None] = still_wrong, seconds: float = SECONDS) -> Json:
    """Return the smallest case found in a bounded time that is wrong in the same way, or `case` if it is not wrong."""
    deadline = time.monotonic() + seconds
    wrong = wrong_now(case)
    if wrong is None:
        return case
    kind = _kind(wrong)

    def holds(candidate: Json) -> bool:
        if time.monotonic() > deadline:
            return False
        found = wrong_now(candidate)
        return found is not None and _kind(found) == kind

    while True:
        before = _size(case)
        if "spec" in case:
            case = {**case, "spec": _shrink_json(case["spec"], lambda spec, c=case: holds({**c, "spec": spec}))}
        for field in ("text", "pair", "ids", "texts"):
            value = case["input"].get(field)
            if value:
                case = _shrink_field(case, field, value, holds)
        if _size(case) >= before or time.monotonic() > deadline:
            return {**case, "wrong": wrong_now(case) or wrong}


def _kind(wrong: str) -> str:
    """Return the kind of a difference: what comes before the values that differ."""
    return wrong.split(":", maxsplit=1)[0].split(",", maxsplit=1)[0][:40]


def _size(case: Json) -> int:
    return len(repr(case.get("spec"))) + len(repr(case["input"]))


def _shrink_field(case: Json, field: str, value: Any, holds: Callable[[Json], bool]) -> Json:
    def with_value(new: Any) -> Json:
        return {**case, "input": {**case["input"], field: new}}

    if isinstance(value, str):
        characters = shrink(list(value), lambda chars: holds(with_value("".join(chars))))
        return with_value("".join(characters))
    return with_value(shrink(value, lambda items: holds(with_value(items))))


def shrink(items: list[Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
    """Return fewer of the items for which `holds` is still true (ddmin).

    >>> shrink(list("abcdefgh"), lambda kept: "c" in kept and "g" in kept)
    ['c', 'g']
    """
    size = max(len(items) // 2, 1)
    while items:
        at = 0
        while at < len(items):
            fewer = items[:at] + items[at + size :]
            if holds(fewer):
                items = fewer
            else:
                at += size
        if size == 1:
            break
        size = max(size // 2, 1)
    return items


_SIMPLE = (None, False, 0, "", [], {})


def _shrink_json(value: Any, holds: Callable[[Any], bool]) -> Any:
    """Return JSON with fewer items and plainer values for which `holds` is still true."""
    if isinstance(value, dict):
        kept = shrink(list(value.items()), lambda items: holds(dict(items)))
        value = dict(kept)
        for key in value:
            value = {**value, key: _shrink_child(value, key, holds)}
        return value
    if isinstance(value, list):
        value = shrink(value, holds)
        for at in range(len(value)):
            value = [*value[:at], _shrink_child(value, at, holds), *value[at + 1 :]]
        return value
    return value


def _shrink_child(holder: Any, key: Any, holds: Callable[[Any], bool]) -> Any:
    def put(new: Any) -> Any:
        if isinstance(holder, dict):
            return {**holder, key: new}
        return [*holder[:key], new, *holder[key + 1 :]]

    child = holder[key]
    if child in _SIMPLE or not isinstance(child, (dict, list)):
        return child
    if holds(put(None)):
        return None
    return _shrink_json(child, lambda new: holds(put(new)))
