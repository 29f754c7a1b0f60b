"""Byte-pair encoding: a piece of text -> ids.

Semantics are those of tokenizers 0.23 (`models/bpe/{model,word}.rs`): the pair
with the lowest rank merges first, the leftmost of equal ones, one at a time.
"""

from __future__ import annotations

from itertools import pairwise

from tokenizers_lite.vocab import vocab_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from tokenizers_lite.spec import models as spec_models

    class Pairs(Protocol):
        """Merge table: ``left << 32 | right`` -> ``rank << 32 | merged``, NEVER if there is none."""

        def get(self, key: int, default: int, /) -> int:
            """Return the value of a pair, or the default."""


# Above any ``rank << 32 | id``.
NEVER = 1 << 64
_ID = (1 << 32) - 1
# Up to this many symbols a scan of the whole list beats a heap (measured: they meet near 200).
_SCAN_LIMIT = 160
# From this many symbols on it is worth looking whether they are a run, or numpy can merge many at once.
_LEVELS_LIMIT = 2000
# Bounds of the cache of pieces: entries, and characters of one piece.
CACHE_ENTRIES = 1 << 16
CACHE_PIECE = 128


def _error(message: str, **where: Any) -> Exception:
    """Return a SpecError; its module is imported only when something is wrong."""
    from tokenizers_lite.errors import SpecError

    return SpecError(message, **where)


def merge(ids: list[int], pairs: Pairs, sizes: list[int] | None = None) -> list[int]:
    """Merge `ids` until no pair is left, in place or in a new list, and return it.

    `sizes` (source bytes of each symbol) is kept in step if given.

    >>> merge([1, 2, 3], {(1 << 32 | 2): (0 << 32 | 9)})
    [9, 3]
    """
    if len(ids) > _SCAN_LIMIT:
        if sizes is None and len(ids) > _LEVELS_LIMIT:
            if ids.count(ids[0]) == len(ids):
                from tokenizers_lite.models._runs import merge_run

                ids = merge_run(ids[0], len(ids), pairs)
            from tokenizers_lite.models._levels import merge_levels

            ids = merge_levels(ids, pairs)
        return _merge_heap(ids, pairs, sizes, 0.0)
    get = pairs.get
    ranks = [get(left << 32 | right, NEVER) for left, right in pairwise(ids)]
    while ranks:
        best = min(ranks)
        if best == NEVER:
            break
        i = ranks.index(best)
        merged = ids[i] = best & _ID
        del ids[i + 1], ranks[i]
        if sizes is not None:
            sizes[i] += sizes.pop(i + 1)
        if i:
            ranks[i - 1] = get(ids[i - 1] << 32 | merged, NEVER)
        if i < len(ranks):
            ranks[i] = get(merged << 32 | ids[i + 1], NEVER)
    return ids


def _merge_heap(ids: list[int], pairs: Pairs, sizes: list[int] | None, dropout: float) -> list[int]:
    """Merge like `merge`, in n log n; with `dropout`, skip merges at random."""
    from heapq import heapify, heappop, heappush

    get = pairs.get
    n = len(ids)
    after = list(range(1, n + 1))
    before = list(range(-1, n - 1))
    heap = []
    for i in range(n - 1):
        value = get(ids[i] << 32 | ids[i + 1], NEVER)
        if value != NEVER:
            heap.append(value << 32 | i)
    heapify(heap)
    skipped: list[int] = []
    if dropout:
        from random import random
    while heap:
        top = heappop(heap)
        if dropout and random() < dropout:  # noqa: S311 - regularisation, not a secret
            skipped.append(top)
            continue
        for entry in skipped:
            heappush(heap, entry)
        skipped.clear()
        i = top & _ID
        j = after[i]
        # A stale entry: its symbols have merged with others since.
        if ids[i] < 0 or j >= n or get(ids[i] << 32 | ids[j], NEVER) & _ID != top >> 32 & _ID:
            continue
        merged = ids[i] = top >> 32 & _ID
        ids[j] = -1
        if sizes is not None:
            sizes[i] += sizes[j]
        k = after[i] = after[j]
        if k < n:
            before[k] = i
            value = get(merged << 32 | ids[k], NEVER)
            if value != NEVER:
                heappush(heap, value << 32 | i)
        h = before[i]
        if h >= 0:
            value = get(ids[h] << 32 | merged, NEVER)
            if value != NEVER:
                heappush(heap, value << 32 | h)
    if sizes is not None:
        sizes[:] = [size for size, id_ in zip(sizes, ids, strict=True) if id_ >= 0]
    ids[:] = [id_ for id_ in ids if id_ >= 0]
    return ids


def pair_table(
    vocab: Mapping[str, int], merges: Sequence[tuple[str, str]], continuing_subword_prefix: str | None
) -> Pairs:
    """Return the merge table of `merges`; a repeated pair keeps its last rank, as in tokenizers.

    Raises:
        SpecError: a merge names a token, or makes one, that the vocabulary does not have.
    """
    ready = getattr(merges, "pair_table", None)
    if ready is not None:
        return ready()  # type: ignore[no-any-return]
    table = {}
    cut = len((continuing_subword_prefix or "").encode())
    try:
        if cut:
            for rank, (left, right) in enumerate(merges):
                made = left + right.encode()[cut:].decode()
                table[vocab[left] << 32 | vocab[right]] = rank << 32 | vocab[made]
        else:
            for rank, (left, right) in enumerate(merges):
                table[vocab[left] << 32 | vocab[right]] = rank << 32 | vocab[left + right]
    except (KeyError, UnicodeDecodeError) as exc:
        raise _error(
            f"the merge names or makes a token that is not in the vocabulary: {exc}; the file is damaged or edited",
            field=f"model.merges[{rank}]",
            value=(left, right),
        ) from exc
    return table


def _listed(column: Any) -> list[int]:
    found: list[int] = column.tolist()
    return found


class BPE:
    """A byte-pair-encoding model, read-only but for its bounded cache."""

    def __init__(self, spec: spec_models.BPE) -> None:
        self.spec = spec
        self.vocab = vocab_of(spec.vocab)
        self.id_to_token = self.vocab.token_of
        self.token_to_id = self.vocab.id_of
        self.vocab_size = len(self.vocab)
        self.pairs = pair_table(spec.vocab, spec.merges, spec.continuing_subword_prefix)
        self.affixes = bool(spec.continuing_subword_prefix or spec.end_of_word_suffix)
        self.cache: dict[str, list[int]] = {}
        # Whether a merge of a compact file makes each id; None before that is looked at, and for other files.
        self.made: bytearray | None = None

    def whole_pairs(self) -> Any:
        """Return the merge table as a dict, which is faster and can be gone through; it is used from now on."""
        whole = getattr(self.spec.merges, "whole_table", None)
        if whole is not None and self.made is None:
            import sys

            np = sys.modules.get("numpy")
            mapped = None if np is None else self.spec.merges.columns(np)  # type: ignore[attr-defined]
            pairs: dict[int, int] = whole() if mapped is None else dict(zip(*map(_listed, mapped), strict=True))
            made = bytearray(self.bound())
            for value in pairs.values():
                made[value & _ID] = True
            self.pairs, self.made = pairs, made
        return self.pairs

    def columns(self, np: Any) -> tuple[Any, Any]:
        """Return the keys and the values of the merge table, ``uint64[n]`` each, in any order."""
        mapped = getattr(self.spec.merges, "columns", None)
        found: tuple[Any, Any] | None = None if mapped is None else mapped(np)
        if found is None:
            pairs = self.whole_pairs()
            keys, values = (np.fromiter(each, np.uint64, len(pairs)) for each in (pairs, pairs.values()))
            found = keys, values
        return found

    def joined_tokens(self, between: str) -> str:
        """Return the texts of all tokens, with a character between them."""
        joined = getattr(self.vocab, "joined", None)
        return between.join(self.spec.vocab) if joined is None else joined(between)

    def bound(self) -> int:
        """Return a number above all ids."""
        size: int | None = getattr(self.vocab, "size", None)
        return max(self.spec.vocab.values(), default=0) + 1 if size is None else size

    def own(self, raw: bytes) -> int | None:
        """Return the token of a text if that is known, without merging it, to be all of the text's BPE.

        A compact file holds the merges of such tokens only (docs/formats/compact.md), so after `whole_pairs` it is.
        """
        if self.made is None:
            return None
        id_: int | None = self.vocab.raw_id(raw)  # type: ignore[attr-defined]
        return id_ if id_ is not None and self.made[id_] else None

    def tokenize(self, piece: str) -> list[int]:
        """Return the ids of a piece. The list may be shared: do not change it."""
        ids = self.cache.get(piece)
        if ids is None:
            ids = self._tokenize(piece, None)
            if len(piece) <= CACHE_PIECE and not self.spec.dropout:
                if len(self.cache) >= CACHE_ENTRIES:
                    self.cache.clear()
                self.cache[piece] = ids
        return ids

    def tokenize_with_offsets(self, piece: str) -> list[tuple[int, int, int]]:
        """Return (id, start, end) in characters of `piece`, covering whole characters.

        Byte tokens of an affix take room that the piece does not have; for what
        lies past its end, start and end are complements (``~``) of bytes.
        """
        sizes: list[int] = []
        ids = self._tokenize(piece, sizes)
        if piece.isascii():
            places: Sequence[int] = range(len(piece))
        else:
            places = [at for at, char in enumerate(piece) for _ in char.encode()]
        out = []
        end = 0
        for id_, size in zip(ids, sizes, strict=True):
            start, end = end, end + size
            inside = end <= len(places)
            out.append((id_, places[start], places[end - 1] + 1) if inside else (id_, ~start, ~end))
        return out

    def _tokenize(self, piece: str, sizes: list[int] | None) -> list[int]:
        dropout = self.spec.dropout
        if self.spec.ignore_merges and not dropout:
            whole = self.token_to_id(piece)
            if whole is not None:
                if sizes is not None:
                    sizes.append(len(piece.encode()))
                return [whole]
        ids = self.symbols(piece, sizes)
        if dropout:
            return _merge_heap(ids, self.pairs, sizes, dropout)
        return merge(ids, self.pairs, sizes)

    def symbols(self, piece: str, sizes: list[int] | None = None) -> list[int]:
        """Return the ids that merging starts from: one a character, its bytes, or unk.

        A pending unk is written only before the next known character or at the
        end, so byte-fallback ids overtake it, and with `fuse_unk` it grows
        across them (tokenizers 0.23, `BPE::merge_word`).
        """
        spec = self.spec
        known = self.token_to_id
        ids: list[int] = []
        unk_size = 0
        last = len(piece) - 1
        for at, char in enumerate(piece):
            text = char
            if self.affixes:
                if at and spec.continuing_subword_prefix:
                    text = spec.continuing_subword_prefix + text
                if at == last and spec.end_of_word_suffix:
                    text += spec.end_of_word_suffix
            id_ = known(text)
            if id_ is not None:
                if unk_size:
                    self._add_unk(ids, sizes, unk_size)
                    unk_size = 0
                ids.append(id_)
                if sizes is not None:
                    sizes.append(len(char.encode()))
                continue
            fallback = self._byte_ids(text) if spec.byte_fallback else None
            if fallback is not None:
                ids += fallback
                if sizes is not None:
                    sizes += [1] * len(fallback)
            elif spec.unk_token is not None:
                if unk_size and not spec.fuse_unk:
                    self._add_unk(ids, sizes, unk_size)
                    unk_size = 0
                unk_size += len(char.encode())
        if unk_size:
            self._add_unk(ids, sizes, unk_size)
        return ids

    def _byte_ids(self, text: str) -> list[int] | None:
        """Return the ids of the ``<0xNN>`` tokens of a text, None if one is missing."""
        ids = [self.token_to_id(f"<0x{byte:02X}>") for byte in text.encode()]
        return None if None in ids else ids  # type: ignore[return-value]

    def _add_unk(self, ids: list[int], sizes: list[int] | None, size: int) -> None:
        id_ = self.token_to_id(self.spec.unk_token or "")
        if id_ is None:
            raise _error(
                "text needs the unknown token, which is not in the vocabulary; add it or set model.unk_token to one "
                "that is",
                field="model.unk_token",
                value=self.spec.unk_token,
            )
        ids.append(id_)
        if sizes is not None:
            sizes.append(size)
