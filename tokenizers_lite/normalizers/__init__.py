"""Normalizers at work: text -> text, with or without keeping track of origins.

`build` turns a spec into an object with two methods that agree on the text:
`normalize` is fast, `align` also knows where each character came from.
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.spec import normalizers as specs


class Normalizer:
    """Base of all normalizers.

    Attributes:
        loses_origin: whether the text may start with characters that stand
            for nothing of the original. What tokenizers does to such a text
            afterwards is odd (see `NormalizedString.transform`), and followed.
    """

    loses_origin = False

    def normalize(self, text: str) -> str:
        """Return the normalized text."""
        raise NotImplementedError

    def align(self, text: NormalizedString) -> NormalizedString:
        """Return the normalized text with its origins."""
        raise NotImplementedError


class Sequence(Normalizer):
    """Several normalizers in order."""

    def __init__(self, parts: list[Normalizer]) -> None:
        self.parts = parts
        self.loses_origin = any(getattr(part, "loses_origin", False) for part in parts)
        self._slowly = any(getattr(part, "loses_origin", False) for part in parts[:-1])

    def normalize(self, text: str) -> str:
        """Apply each part to the result of the one before."""
        if self._slowly:
            from tokenizers_lite.normalized import NormalizedString

            return self.align(NormalizedString.of(text)).text
        for part in self.parts:
            text = part.normalize(text)
        return text

    def align(self, text: NormalizedString) -> NormalizedString:
        """Apply each part to the result of the one before."""
        for part in self.parts:
            text = part.align(text)
        return text


_MODULES = {
    "BertNormalizer": "bert",
    "ByteLevel": "rewriting",
    "Lowercase": "cleaning",
    "NFC": "forms",
    "NFD": "forms",
    "NFKC": "forms",
    "NFKD": "forms",
    "Nmt": "cleaning",
    "Precompiled": "precompiled",
    "Prepend": "rewriting",
    "Replace": "rewriting",
    "Strip": "cleaning",
    "StripAccents": "cleaning",
}


def build(spec: specs.Normalizer) -> Normalizer:
    """Return the normalizer that a spec describes.

    Raises:
        SpecError: the spec is of an unknown kind or holds a broken value.
    """
    kind = type(spec).__name__
    if kind == "Sequence":
        return Sequence([build(part) for part in spec.normalizers])
    if kind not in _MODULES:
        raise SpecError("unknown kind of normalizer", field="normalizer", value=kind)
    from importlib import import_module

    built: Normalizer = getattr(import_module(f"{__name__}.{_MODULES[kind]}"), kind)(spec)
    return built
