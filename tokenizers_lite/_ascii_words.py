"""BERT's normalizer and pre-tokenizer on printable ASCII, without tables or a regex engine.

A process that encodes one English prompt needs no more; for other text, and
for the rest once that was plenty, the components proper are made. A compact
file says in its `start` that they do on ASCII what is done here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite.models import Model
    from tokenizers_lite.pipeline import Part, Pipeline

# Characters that are handled here before the components are worth making.
_QUICK_TOTAL = 4096
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_APART = {ord(char): f" {char} " for char in _PUNCTUATION}


def normalizer(lowercase: bool, otherwise: Callable[[str], str]) -> Callable[[str], str]:
    """Return BertNormalizer with `clean_text`: white space becomes blanks; `otherwise` does all but plain ASCII."""

    def normalize(text: str) -> str:
        if text.isascii():
            plain = text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
            if plain.isprintable():
                return plain.lower() if lowercase else plain
        return otherwise(text)

    return normalize


def words(text: str) -> list[str]:
    """Cut printable ASCII as BertPreTokenizer does.

    >>> words("it's  fine.")
    ['it', "'", 's', 'fine', '.']
    """
    return text.translate(_APART).split()


class AsciiFirst:
    """The pipeline for the first characters of printable ASCII; then `make` makes the one for everything."""

    def __init__(self, model: Model, make: Callable[[], Pipeline]) -> None:
        self.model = model
        self._make = make
        self._left = _QUICK_TOTAL
        self._full: Pipeline | None = None

    def encode(self, parts: list[Part]) -> list[int]:
        """Return the ids of the parts of a text."""
        if self._full is None and all(isinstance(part, int) or self._takes(part[0]) for part in parts):
            tokenize = self.model.tokenize
            ids: list[int] = []
            for part in parts:
                if isinstance(part, int):
                    ids.append(part)
                    continue
                self._left -= len(part[0])
                for word in words(part[0]):
                    ids += tokenize(word)
            return ids
        if self._full is None:
            self._full = self._make()
        return self._full.encode(parts)

    def encode_many(self, texts: list[list[Part]]) -> list[list[int]]:
        """Return the ids of the parts of each text."""
        return list(map(self.encode, texts))

    def _takes(self, text: str) -> bool:
        return len(text) <= self._left and text.isascii() and text.isprintable()
