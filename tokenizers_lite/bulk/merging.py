"""BPE of many words at once: in each round every word makes its next merge, in a few array operations for all.

All words lie in one row of symbols that are linked to their neighbours, so
that a merge moves nothing. Pairs are looked up by two reads, one in each of
two tables (a cuckoo hash), whatever the pair.
"""

from __future__ import annotations

from itertools import pairwise

from tokenizers_lite.models.bpe import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# Fewer words are merged faster one by one (measured: they meet near 30).
FEW = 30
# When only one word in so many has merges left, the rest are done one by one.
_STRAGGLERS = 16
# Ids have to be less than 2 to the second of these powers, ranks and places in a row to the third.
_LEAST_ID_BITS, _MOST_ID_BITS, _RANK_BITS = 12, 20, 24
# Odd numbers that spread the bits of a pair.
_FACTORS = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95)
_NEVER = (1 << 64) - 1
# What stands in the table of symbols for units that were not looked up yet, and for those that are no symbol.
_NEW, _NONE = -1, -2


class WordMerger:
    """Merges words whose characters are one symbol each.

    Args:
        np: the module numpy.
        pairs: the merges, ``left << 32 | right`` -> ``rank << 32 | merged``.
        size: above all ids.
        symbol_of: gives the id that merging starts from for a character, None if
            words with it have to be merged in another way.
        apart: tells of units of UTF-16 between which neighbours something else can
            happen before they are such symbols, ``bool[n - 1]``; None if nothing can.
    """

    def __init__(
        self,
        np: Any,
        pairs: Mapping[int, int],
        size: int,
        symbol_of: Callable[[str], int | None],
        apart: Callable[[Any], Any] | None = None,
    ) -> None:
        self._np = np
        self._pairs = pairs
        self._nil = np.uint64(size)
        self._symbol_of = symbol_of
        self._symbols = np.full(1 << 16, _NEW)
        self._apart = apart
        self._table = _PairTable(np, pairs, size.bit_length())

    def symbols(self, units: Any, starts: Any) -> tuple[Any, Any]:
        """Return the first symbols of words, ``int64[units]``, and which words may be merged here, ``bool[words]``.

        Args:
            units: UTF-16 of all words, one word after another.
            starts: where each word starts; none is empty.
        """
        np = self._np
        symbols = self._symbols.take(units)
        new = symbols == _NEW
        if new.any():
            for unit in set(units[new].tolist()):
                id_ = None if 0xD800 <= unit < 0xE000 else self._symbol_of(chr(unit))
                self._symbols[unit] = _NONE if id_ is None else id_
            symbols = self._symbols.take(units)
        fit = np.minimum.reduceat(symbols, starts) >= 0
        if self._apart is not None and len(units) > 1:
            apart = np.zeros(len(units), bool)
            apart[1:] = self._apart(units)
            apart[starts] = False
            fit &= ~np.logical_or.reduceat(apart, starts)
        return symbols, fit

    def merge(self, symbols: Any, sizes: Any) -> tuple[Any, Any]:
        """Return the BPE of words as the ``uint32`` ids of all, and how many each word has.

        Args:
            symbols: those of all words, one word after another, ``int64[n]``, n + words < 2^24.
            sizes: how many each word has, at least one, ``int64[words]``.
        """
        row = _Row(self._np, symbols, sizes, self._nil)
        for word in row.merge(self._table).tolist():
            row.replace(word, merge(row.ids_of(word), self._pairs))
        return row.result()

    def merge_each(self, words: list[str]) -> list[list[int]]:
        """Return the BPE of each word; none is empty, and all have to fit (see `symbols`)."""
        np = self._np
        units = np.frombuffer("".join(words).encode("utf-16-le"), "<u2")
        sizes = np.array(list(map(len, words)))
        symbols, _ = self.symbols(units, sizes.cumsum() - sizes)
        ids, counts = self.merge(symbols, sizes)
        flat, ends = ids.tolist(), counts.cumsum().tolist()
        return [flat[start:end] for start, end in pairwise([0, *ends])]


def merger(
    np: Any,
    pairs: Mapping[int, int],
    size: int,
    symbol_of: Callable[[str], int | None],
    apart: Callable[[Any], Any] | None = None,
) -> WordMerger | None:
    """Return a `WordMerger`, None if there is nothing to merge or numbers are too large for one."""
    if not pairs or size >= 1 << _MOST_ID_BITS or max(pairs.values()) >> 32 >= 1 << _RANK_BITS:
        return None
    return WordMerger(np, pairs, size, symbol_of, apart)


class _Row:
    """Words in the course of merging; behind each stands a symbol that merges with nothing."""

    def __init__(self, np: Any, symbols: Any, sizes: Any, nil: Any) -> None:
        self._np = np
        self._nil = nil
        self._ends = (sizes + 1).cumsum() - 1
        self._starts = self._ends - sizes
        length = len(symbols) + len(sizes)
        self._alive = np.ones(length, bool)
        self._ids = np.full(length, nil)
        inside = np.ones(length, bool)
        inside[self._ends] = False
        self._ids[inside] = symbols

    def merge(self, table: _PairTable) -> Any:
        """Make merges until few words have any left; return the indexes of those words."""
        np = self._np
        ids, alive = self._ids, self._alive
        length = len(ids)
        after, before = np.arange(1, length + 1), np.arange(-1, length - 1)
        # The rank of each symbol with the one after it, and its place: the least of a word is its next merge.
        ranks = np.full(length, _NEVER, np.uint64)
        ranks[:-1] = table.ranks(ids[:-1], ids[1:], before[1:])
        while True:
            best = np.minimum.reduceat(ranks, self._starts)
            words = (best != _NEVER).nonzero()[0]
            if len(words) * _STRAGGLERS <= len(best):
                return words
            best = best.take(words)
            left = (best & np.uint64((1 << _RANK_BITS) - 1)).view(np.int64)
            best >>= np.uint64(_RANK_BITS)
            right = after.take(left)
            end = after.take(right)
            merged = table.merged.take(best.view(np.int64))
            ids[left] = merged
            alive[right] = False
            ranks[right] = _NEVER
            after[left] = end
            before[end] = left
            changed = np.concatenate([before.take(left), left])
            ranks[changed] = table.ranks(ids.take(changed), np.concatenate([merged, ids.take(end)]), changed)

    def ids_of(self, word: int) -> list[int]:
        """Return the ids of one word."""
        span = slice(self._starts[word], self._ends[word])
        ids: list[int] = self._ids[span][self._alive[span]].tolist()
        return ids

    def replace(self, word: int, ids: list[int]) -> None:
        """Put other ids, no more of them, in the place of those of a word."""
        start, end = self._starts[word], self._ends[word]
        self._ids[start : start + len(ids)] = ids
        self._alive[start:end] = False
        self._alive[start : start + len(ids)] = True

    def result(self) -> tuple[Any, Any]:
        """Return the ids of all words and how many each has."""
        np = self._np
        self._alive[self._ends] = False
        return self._ids[self._alive].astype(np.uint32), np.add.reduceat(self._alive, self._starts, dtype=np.int64)


class _PairTable:
    """Pair of ids -> rank; a pair is in the one or the other of two tables, at the place that its hash says.

    An entry is what of the hash the place does not tell, shifted above the
    rank. A hash is a pair times an odd number, so no two pairs have the same.
    """

    def __init__(self, np: Any, pairs: Mapping[int, int], id_bits: int) -> None:
        self._np = np
        keys = np.fromiter(pairs.keys(), np.uint64, len(pairs))
        values = np.fromiter(pairs.values(), np.uint64, len(pairs))
        ranks = values >> np.uint64(32)
        self.merged = np.zeros(int(ranks.max()) + 1, np.uint64)
        self.merged[ranks] = values & np.uint64(0xFFFFFFFF)
        bits = max(id_bits, _LEAST_ID_BITS)
        self._id_bits, self._mask = np.uint64(bits), np.uint64((1 << 2 * bits) - 1)
        self._factors = [np.uint64(factor) for factor in _FACTORS]
        keys = keys >> np.uint64(32) << self._id_bits | keys & np.uint64(0xFFFFFFFF)
        place_bits = max(4, (len(pairs) * 3 // 2).bit_length())
        while not self._fill(keys, ranks, place_bits, 2 * bits):
            place_bits += 1

    def ranks(self, left: Any, right: Any, places: Any) -> Any:
        """Return ``rank << 24 | place`` of each pair, `_NEVER` of those that do not merge."""
        np = self._np
        keys = left << self._id_bits
        keys |= right
        found = self._read(0, keys)
        np.minimum(found, self._read(1, keys), out=found)
        never = found >> np.uint64(_RANK_BITS) != 0
        found <<= np.uint64(_RANK_BITS)
        found |= places.view(np.uint64)
        found[never] = _NEVER
        return found

    def _read(self, table: int, keys: Any) -> Any:
        """Return the rank of each pair that is in a table, larger numbers for others."""
        hashes = keys * self._factors[table]
        hashes &= self._mask
        entries = self._entries[table].take((hashes >> self._place_shift).view(self._np.int64))
        hashes <<= self._rest_shift
        entries ^= hashes
        return entries

    def _fill(self, keys: Any, ranks: Any, place_bits: int, bits: int) -> bool:
        """Make the tables; False if that fails."""
        np = self._np
        self._place_shift, self._rest_shift = np.uint64(bits - place_bits), np.uint64(64 - bits + place_bits)
        hashes = [keys * factor & self._mask for factor in self._factors]
        places = [(each >> self._place_shift).view(np.int64) for each in hashes]
        holders = [np.full(1 << place_bits, -1) for _ in hashes]
        waiting, table = np.arange(len(keys)), 0
        for _ in range(100):
            at = places[table][waiting]
            driven_out = holders[table][at]
            holders[table][at] = waiting
            lost = waiting[holders[table][at] != waiting]
            waiting, table = np.concatenate([lost, np.unique(driven_out[driven_out >= 0])]), 1 - table
            if not len(waiting):
                break
        self._entries = [np.full(1 << place_bits, _NEVER, np.uint64) for _ in hashes]
        for entries, holder, hash_ in zip(self._entries, holders, hashes, strict=True):
            taken = (holder >= 0).nonzero()[0]
            held = holder[taken]
            entries[taken] = hash_[held] << self._rest_shift | ranks[held]
        return not len(waiting)
