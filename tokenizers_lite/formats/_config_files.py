"""The configuration files of a folder: read, checked, and noted as sources."""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import SourceFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


class Files:
    """The readable files of a folder; remembers which ones counted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.used: list[SourceFile] = []

    def path(self, name: str) -> str:
        """Give the path of a file in the folder."""
        return os.path.join(self.folder, name)

    def text(self, name: str, *, missing_ok: bool = True) -> str | None:
        """Read a text file; None if it is not there and need not be."""
        import hashlib

        try:
            with open(self.path(name), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            if missing_ok:
                return None
            raise
        self.used.append(SourceFile(name, len(data), hashlib.sha256(data).hexdigest()))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as err:
            raise SpecError("not UTF-8", file=self.path(name), field=f"offset {err.start:#x}") from None

    def read(self, name: str, *, missing_ok: bool = True) -> dict[str, Any]:
        """Read a JSON object; an empty one if the file is not there and need not be."""
        import json

        text = self.text(name, missing_ok=missing_ok)
        if text is None:
            return {}
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise SpecError(f"not JSON: {err}", file=self.path(name)) from None
        if not isinstance(value, dict):
            raise SpecError("expected a JSON object", file=self.path(name), value=value)
        return value

    def value(self, name: str, values: dict[str, Any], key: str, kind: type, default: Any) -> Any:
        """Give a value of a file's object, checking its type; null is None."""
        value = values.get(key, default)
        if value is None or isinstance(value, kind):
            return value
        raise SpecError(f"expected {kind.__name__} or null", file=self.path(name), field=key, value=value)

    def token(self, name: str, value: Any, at: str) -> dict[str, Any]:
        """Check a token given as an object with content and flags; gives the object.

        Raises:
            SpecError: no content, or a flag that is neither true nor false.
        """
        if not isinstance(value, dict) or not isinstance(value.get("content"), str):
            message = "expected a token's text, or an object with its content"
            raise SpecError(message, file=self.path(name), field=at, value=value)
        for flag in FLAGS:
            if not isinstance(value.get(flag, False), bool):
                path = self.path(name)
                raise SpecError("expected true or false", file=path, field=f"{at}.{flag}", value=value[flag])
        return value
