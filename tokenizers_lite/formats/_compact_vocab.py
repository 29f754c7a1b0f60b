"""BPE vocabularies and merges of a compact file, on its index or on tables built from its merges."""

from __future__ import annotations

from itertools import pairwise

from tokenizers_lite.byte_alphabet import CHARS, from_alphabet
from tokenizers_lite.formats.compact import NONE, Index, pair_tag
from tokenizers_lite.models.bpe import NEVER
from tokenizers_lite.vocab import LookupVocab

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tokenizers_lite.formats.compact import Container

_ID = 0xFFFFFFFF
_LATIN_TO_ALPHABET = dict(enumerate(CHARS))
# Pairs remembered after a lookup on mapped bytes.
_KNOWN_PAIRS = 1 << 17


def _id_set(container: Container, storage: dict[str, Any], name: str) -> frozenset[int]:
    ids = storage.get(name, ())
    if not isinstance(ids, (list, tuple)) or not all(type(id_) is int for id_ in ids):
        from tokenizers_lite.errors import SpecError

        raise SpecError("not a list of ids", file=container.name, field=f"model.storage.{name}", value=ids)
    return frozenset(ids)


class CompactVocab(LookupVocab):
    """Token text -> id on the bytes of a compact file; also id -> text.

    `storage` is the spec's note on how texts are kept: ``byte_level`` (bytes
    of the byte alphabet), ``literal`` (ids kept as plain text all the same)
    and ``holes`` (ids that no token has).
    """

    def __init__(self, container: Container, storage: dict[str, Any]) -> None:
        self.container = container
        self.byte_level = bool(storage.get("byte_level"))
        self.literal = _id_set(container, storage, "literal")
        self.holes = _id_set(container, storage, "holes")
        self.size = container.length(pair_tag(container)) // 6
        self._literal_ids: dict[str, int] | None = None
        self._ranks: memoryview | None = None
        self.raw_id: Callable[[bytes], int | None]
        self.raw: Callable[[int], bytes]
        if container.has("HASH"):
            index = Index(container, self.size)
            self.raw_id, self.raw = index.raw_id, index.raw
        else:
            from tokenizers_lite.formats import _compact_merges

            texts, left_out = _compact_merges.texts(container, self.size), self.literal | self.holes
            self.raw_id = {text: id_ for id_, text in enumerate(texts) if id_ not in left_out}.get
            self.raw = texts.__getitem__

    def raws(self) -> list[bytes]:
        """Return the bytes of every token."""
        if not self.container.has("HASH"):
            return list(map(self.raw, range(self.size)))
        blob = bytes(self.container.section("BLOB"))
        offsets = self.container.section("OFFS", 4).cast("I").tolist()
        return [blob[start:end] for start, end in pairwise(offsets)]

    def joined(self, between: str) -> str:
        """Return the texts of all tokens with a character between them; without `byte_level`."""
        return between.encode().join(self.raws()).decode("utf-8", "replace")

    def pair_ids(self) -> tuple[list[int], list[int]]:
        """Return the left and the right id of the merge that makes each token; NO_PAIR if none does."""
        from tokenizers_lite.formats import _compact_merges

        return _compact_merges.pair_ids(self.container, self.size)

    def rank_order(self) -> list[int]:
        """Return the ids that merges make, best merge first."""
        from tokenizers_lite.formats import _compact_merges

        return _compact_merges.rank_order(self.container, self.size)

    # ------------------------------------------------ what the models need

    def id_of(self, token: str) -> int | None:
        """Return the id of a token text, or None."""
        if not self.byte_level:
            return self.raw_id(token.encode()) if token.isascii() or _encodable(token) else None
        raw = from_alphabet(token)
        if raw is not None:
            return self.raw_id(raw)
        if self._literal_ids is None:
            self._literal_ids = {self.raw(id_).decode(): id_ for id_ in self.literal}
        return self._literal_ids.get(token)

    def token_of(self, id: int) -> str | None:  # noqa: A002
        """Return the text of an id, or None."""
        if not 0 <= id < self.size or id in self.holes:
            return None
        raw = self.raw(id)
        if self.byte_level and id not in self.literal:
            return raw.decode("latin-1").translate(_LATIN_TO_ALPHABET)
        return raw.decode("utf-8", "replace")

    def pair_value(self, left: int, right: int) -> int:
        """Return ``rank << 32 | merged`` of two adjacent ids, NEVER if they do not merge."""
        merged = self.raw_id(self.raw(left) + self.raw(right))
        if merged is None:
            return NEVER
        if self._ranks is None:
            self._ranks = self.container.section("RANK", 4).cast("I")
        rank = self._ranks[merged]
        return NEVER if rank == NONE else rank << 32 | merged

    # --------------------------------------------------- the mapping it is

    def __len__(self) -> int:
        return self.size - len(self.holes)

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield (token text, id), ids ascending."""
        raw, special = self.raw, self.literal | self.holes
        for id_ in range(self.size):
            if not self.byte_level or id_ in special:
                token = self.token_of(id_)
                if token is not None:
                    yield token, id_
            else:
                yield raw(id_).decode("latin-1").translate(_LATIN_TO_ALPHABET), id_

    def __hash__(self) -> int:
        tag = pair_tag(self.container)
        return hash(self.container.table[tag][0] if tag in self.container.table else self.size)


class CompactMerges:
    """The merges of a compact file: one pair a reachable token, best first."""

    def __init__(self, vocab: CompactVocab) -> None:
        self.vocab = vocab
        self._pairs: list[tuple[str, str]] | None = None

    def pair_table(self) -> PairTable | dict[int, int]:
        """Return the merge table for the model: lazy on an index, whole without one."""
        if self.vocab.container.has("HASH"):
            return PairTable(self.vocab)
        return self.whole_table()

    def columns(self, np: Any) -> tuple[Any, Any] | None:
        """Return what `whole_table` does as two arrays, ``uint64[n]``, by the module numpy; None if it cannot."""
        container, size = self.vocab.container, self.vocab.size
        if not container.has("RANK"):
            return None
        planes = np.frombuffer(container.section("PAIR", 6), np.uint8).reshape(6, size).astype(np.uint64)
        left, right = (
            low | middle << np.uint64(8) | high << np.uint64(16) for low, middle, high in (planes[:3], planes[3:])
        )
        ranks = np.frombuffer(container.section("RANK", 4), "<u4").astype(np.uint64)
        ids = (ranks != NONE).nonzero()[0]
        if (np.maximum(left[ids], right[ids]) >= size).any():
            return None  # `pair_ids` says what is wrong
        keys = left[ids] << np.uint64(32) | right[ids]
        return keys, ranks[ids] << np.uint64(32) | ids.astype(np.uint64)

    def whole_table(self) -> dict[int, int]:
        """Return ``left << 32 | right`` -> ``rank << 32 | merged`` for all merges."""
        left, right = self.vocab.pair_ids()
        if self.vocab.container.has("RANK"):
            ranks = self.vocab.container.section("RANK", 4).cast("I")
            columns = enumerate(zip(left, right, ranks, strict=True))
            return {a << 32 | b: rank << 32 | id_ for id_, (a, b, rank) in columns if rank != NONE}
        return {left[id_] << 32 | right[id_]: rank << 32 | id_ for rank, id_ in enumerate(self.vocab.rank_order())}

    def _all(self) -> list[tuple[str, str]]:
        if self._pairs is None:
            left, right = self.vocab.pair_ids()
            texts = [self.vocab.token_of(id_) or "" for id_ in range(self.vocab.size)]
            self._pairs = [(texts[left[id_]], texts[right[id_]]) for id_ in self.vocab.rank_order()]
        return self._pairs

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, tuple, CompactMerges)) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._all()))

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all(),)


class PairTable:
    """Merge table that asks the index for pairs it has not seen, and remembers the answers.

    Looking up the joined bytes is exact although only one pair of each token
    is a merge: whenever two neighbours in the course of BPE join to a token,
    they are the last pair of that token's own BPE (proof in
    docs/formats/compact.md), so another pair with the same bytes never comes up.
    """

    def __init__(self, vocab: CompactVocab) -> None:
        self.vocab = vocab
        self.known: dict[int, int] = {}

    def get(self, key: int, default: int, /) -> int:
        """Return the value of a pair, or `default`."""
        value = self.known.get(key)
        if value is None:
            value = self.vocab.pair_value(key >> 32, key & _ID)
            if len(self.known) >= _KNOWN_PAIRS:
                self.known.clear()
            self.known[key] = value
        return default if value == NEVER else value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
