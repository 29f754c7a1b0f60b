"""The .mtok readers' models: a pre-tokenized piece -> ids."""

from __future__ import annotations

from vocab_converters.emulate._base import MARKER, ReaderError, bounded_cache, to_alphabet
from vocab_converters.emulate._merge import merge
from vocab_converters.mtok import BpeModel, UnigramModel, WordPieceModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

RANK_LIMIT = 10**9


def lower_bound(items: Sequence[Any], key: Any) -> int:
    """std::lower_bound, whose answer on unsorted items is wrong in a defined way."""
    first, count = 0, len(items)
    while count > 0:
        half = count // 2
        if items[first + half] < key:
            first += half + 1
            count -= half + 1
        else:
            count = half
    return first


class Vocabulary:
    """Tokens by id and ids by token, as the readers find them."""

    def __init__(self, entries: Sequence[tuple[Any, ...]]) -> None:
        self.keys = [entry[0] for entry in entries]  # code point order is UTF-8 byte order
        self.numbers = [entry[1] for entry in entries]
        self.texts = [""] * len(entries)
        for entry in entries:
            self.texts[entry[1]] = entry[0]
        self.sorted = all(map(str.__le__, self.keys, self.keys[1:]))
        self.ids: dict[str, int] = dict(zip(reversed(self.keys), reversed(self.numbers), strict=True))

    def find(self, token: str) -> int | None:
        """Return the id of a token, by bisection over the file's order."""
        if self.sorted:
            return self.ids.get(token)
        at = lower_bound(self.keys, token)
        return self.numbers[at] if at < len(self.keys) and self.keys[at] == token else None

    def text(self, number: int) -> str | None:
        """Return the token of an id."""
        return self.texts[number] if 0 <= number < len(self.texts) else None


class Bpe:
    """Byte-pair encoding; byte fallback is always on, an unknown token never comes out."""

    def __init__(self, model: BpeModel) -> None:
        self.vocab = Vocabulary(model.vocab)
        self.byte_level = model.byte_level
        keys = [(left << 32) | right for left, right, _ in model.merges]
        ranks = [rank for _, _, rank in model.merges]
        if all(map(int.__le__, keys, keys[1:])):
            self.ranks = dict(zip(reversed(keys), reversed(ranks), strict=True))
            self._rank: Callable[[int], int | None] = self.ranks.get
        else:
            self._rank = lambda key: _bisected(keys, ranks, key)
        self.merged: dict[int, tuple[int, int | None] | None] = {}
        self.tokenize = bounded_cache(self._tokenize)

    def _lookup(self, left: int, right: int) -> tuple[int, int | None] | None:
        key = (left << 32) | right
        try:
            return self.merged[key]
        except KeyError:
            pass
        rank = self._rank(key)
        found = None
        if rank is not None and rank < RANK_LIMIT:
            found = (rank, self.vocab.find(f"{self.vocab.text(left)}{self.vocab.text(right)}"))
        if len(self.merged) > 1 << 20:
            self.merged.clear()
        self.merged[key] = found
        return found

    def _tokenize(self, piece: str) -> list[int]:
        if self.byte_level:
            starts = [self.vocab.find(char) for char in to_alphabet(piece.encode("utf-8", "surrogateescape"))]
            symbols = [number for number in starts if number is not None]
        else:
            symbols = []
            for char in piece:
                number = None if "\udc80" <= char <= "\udcff" else self.vocab.find(char)
                symbols += self._bytes(char) if number is None else [number]
        return merge(symbols, self._lookup)

    def _bytes(self, char: str) -> list[int]:
        found = (self.vocab.find(f"<0x{byte:02X}>") for byte in char.encode("utf-8", "surrogateescape"))
        return [number for number in found if number is not None]


def _bisected(keys: list[int], ranks: list[int], key: int) -> int | None:
    """Look a merge up in a list that is not sorted, as the readers would."""
    at = lower_bound(keys, key)
    return ranks[at] if at < len(keys) and keys[at] == key else None


class WordPiece:
    """Longest match first; the length limit counts bytes."""

    def __init__(self, model: WordPieceModel) -> None:
        self.vocab = Vocabulary(model.vocab)
        self.model = model
        self.unknown = self.vocab.find(model.unk)

    def tokenize(self, piece: str) -> list[int]:
        data = piece.encode("utf-8", "surrogateescape")
        unknown = [] if self.unknown is None else [self.unknown]
        if len(data) > self.model.max_chars:
            return unknown
        ids: list[int] = []
        start = 0
        while start < len(data):
            for end in range(len(data), start, -1):
                part = data[start:end].decode("utf-8", "surrogateescape")
                number = self.vocab.find(self.model.prefix + part if start else part)
                if number is not None and number != self.unknown:
                    break
            else:
                return [-1] if self.unknown is None else unknown
            ids.append(number)
            start = end
        return ids


class Unigram:
    """Viterbi over byte positions; among equal scores the shorter last piece wins."""

    def __init__(self, model: UnigramModel) -> None:
        self.vocab = Vocabulary(model.vocab)
        self.scores = [0.0] * len(model.vocab)
        for _, number, score in model.vocab:
            self.scores[number] = score
        self.unknown = model.unk_id if model.unk_id < 2**31 else model.unk_id - 2**32
        self.byte_fallback = model.byte_fallback
        self.longest = max((len(entry[0].encode()) for entry in model.vocab), default=0)

    def _unknown_score(self) -> float:
        return self.scores[self.unknown] if self.unknown < len(self.scores) else -10.0

    def _candidate(self, data: bytes, start: int, end: int) -> tuple[int, float] | None:
        """Return id and score for one span."""
        number = self.vocab.find(data[start:end].decode("utf-8", "surrogateescape"))
        if number is not None and number != self.unknown:
            return number, self.scores[number]
        if not self.byte_fallback or end - start != 1:
            return None
        number = self.vocab.find(f"<0x{data[start]:02X}>")
        if number is None:
            raise ReaderError("a byte token is missing; the reader reads out of bounds")
        return (number, self.scores[number]) if number != self.unknown else (number, self._unknown_score())

    def tokenize(self, piece: str) -> list[int]:
        data = piece.encode("utf-8", "surrogateescape")
        size = len(data)
        best: list[tuple[float, int, int] | None] = [(0.0, 0, -1)] + [None] * size  # score, previous, id
        for end in range(1, size + 1):
            for start in range(end - 1, max(0, end - self.longest) - 1, -1):
                before = best[start]
                found = None if before is None else self._candidate(data, start, end)
                if before is None or found is None:
                    continue
                here = best[end]
                if here is None or before[0] + found[1] > here[0]:
                    best[end] = (before[0] + found[1], start, found[0])
            if best[end] is None:
                start = end - _character_size(data, end)
                before = best[start]
                if before is not None:
                    best[end] = (before[0] + self._unknown_score(), start, self.unknown)
        return self._backtrack(best)

    def _backtrack(self, best: list[tuple[float, int, int] | None]) -> list[int]:
        ids: list[int] = []
        step = best[-1]
        if step is None:
            return []
        at = len(best) - 1
        while at > 0:
            _, previous, number = best[at] or (0.0, 0, self.unknown)
            if not ids or number != self.unknown or ids[-1] != self.unknown:
                ids.append(number)
            at = previous
        return ids[::-1]


def _character_size(data: bytes, end: int) -> int:
    """Return the length of the character that ends at `end`, 1 if there is none."""
    for size in range(1, min(4, end) + 1):
        byte = data[end - size]
        if byte & 0xC0 != 0x80:
            expected = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return size if expected == size else 1
    return 1


def model(record: BpeModel | WordPieceModel | UnigramModel) -> Bpe | WordPiece | Unigram:
    """Build the model of a .mtok file."""
    if isinstance(record, BpeModel):
        return Bpe(record)
    return WordPiece(record) if isinstance(record, WordPieceModel) else Unigram(record)


__all__ = ["MARKER", "Bpe", "Unigram", "Vocabulary", "WordPiece", "lower_bound", "model"]
