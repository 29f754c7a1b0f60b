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
    from collections.abc import Callable, Sequence
    from typing import Any

    from tokenizers_lite.models.bpe import BPE

# Fewer words are merged faster one by one (measured: they meet near 20).
FEW = 20
# Words that are merged at once.
AT_ONCE = 1 << 12
# When so many words have merges left, they are done one by one.
_STRAGGLERS = 12
# Ids, ranks and places in a row have to be less than 2 to this power.
_BITS = 20
_LEAST_ID_BITS = 12
# Odd numbers that spread the bits of a pair.
_FACTORS = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95)
# Above all ``rank << 20 | place``, as is whatever is read for a pair that does not merge.
_NEVER = 1 << 2 * _BITS
# What stands in the table of symbols for units that were not looked up yet, and for those that are no symbol.
_NEW, _NONE = -1, -2


class WordMerger:
    """Merges words whose characters are one symbol each.

    Args:
        np: the module numpy.
        model: its merges.
        columns: the same, ``left << 32 | right`` and ``rank << 32 | merged`` of each, ``uint64[n]``.
        symbol_of: gives the id that merging starts from for a character, None if
            words with it have to be merged in another way.
        apart: tells of units of UTF-16 between which neighbours something else can
            happen before they are such symbols, ``bool[n - 1]``; None if nothing can.
        byte_ids: the id of each byte, if merging may start from those of UTF-8.
    """

    def __init__(
        self,
        np: Any,
        model: BPE,
        columns: tuple[Any, Any],
        symbol_of: Callable[[str], int | None],
        *,
        apart: Callable[[Any], Any] | None = None,
        byte_ids: Sequence[int] = (),
    ) -> None:
        self._np = np
        self._model = model
        size = model.bound()
        self._nil = np.uint64(size)
        self._symbol_of = symbol_of
        self._symbols = np.full(1 << 16, _NEW)
        self._apart = apart
        self.of_bytes = bool(byte_ids)
        self._byte_ids = np.array(byte_ids, np.int64)
        self._table = _PairTable(np, columns, max(size.bit_length(), _LEAST_ID_BITS))

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
            symbols: those of all words, one word after another, ``int64[n]``, n + words <= 2^20.
            sizes: how many each word has, at least one, ``int64[words]``.
        """
        row = _Row(self._np, symbols, sizes, self._nil)
        for word in row.merge(self._table).tolist():
            row.replace(word, merge(row.ids_of(word), self._model.pairs))
        return row.result()

    def merge_bytes(self, words: Sequence[bytes]) -> tuple[Any, Any]:
        """Return the same for words of bytes; `AT_ONCE` words of up to 255 bytes are not too many."""
        np = self._np
        symbols = self._byte_ids.take(np.frombuffer(b"".join(words), np.uint8))
        return self.merge(symbols, np.array(list(map(len, words))))

    def merge_each(self, words: list[str]) -> list[list[int]]:
        """Return the BPE of each word; none is empty or longer than 128 units, and all have to fit (see `symbols`)."""
        np = self._np
        found: list[list[int]] = []
        for at in range(0, len(words), AT_ONCE):
            several = words[at : at + AT_ONCE]
            units = np.frombuffer("".join(several).encode("utf-16-le"), "<u2")
            sizes = np.array(list(map(len, several)))
            symbols, _ = self.symbols(units, sizes.cumsum() - sizes)
            ids, counts = self.merge(symbols, sizes)
            flat, ends = ids.tolist(), counts.cumsum().tolist()
            found += [flat[start:end] for start, end in pairwise([0, *ends])]
        return found


def merger(
    np: Any,
    model: BPE,
    symbol_of: Callable[[str], int | None],
    *,
    apart: Callable[[Any], Any] | None = None,
    byte_ids: Sequence[int] = (),
) -> WordMerger | None:
    """Return a `WordMerger`, None if there is nothing to merge or numbers are too large for one."""
    columns = model.columns(np)
    if not len(columns[0]) or model.bound() >= (1 << _BITS) - 1 or int(columns[1].max()) >> 32 >= 1 << _BITS:
        return None
    return WordMerger(np, model, columns, symbol_of, apart=apart, byte_ids=byte_ids)


class _Row:
    """Words in the course of merging; behind each stands a symbol that merges with nothing."""

    def __init__(self, np: Any, symbols: Any, sizes: Any, nil: Any) -> None:
        self._np = np
        self._nil, self._gone = nil, nil + np.uint64(1)
        self._ends = (sizes + 1).cumsum() - 1
        self._starts = self._ends - sizes
        self._ids = np.full(len(symbols) + len(sizes), nil)
        inside = np.ones(len(self._ids), bool)
        inside[self._ends] = False
        self._ids[inside] = symbols

    def merge(self, table: _PairTable) -> Any:
        """Make merges until few words have any left; return the indexes of those words."""
        np = self._np
        ids, gone = self._ids, self._gone
        length = len(ids)
        after, before = np.arange(1, length + 1), np.arange(-1, length - 1)
        # The rank of each symbol with the one after it, and its place: the least of a word is its next merge.
        ranks = np.full(length, _NEVER, np.uint64)
        ranks[:-1] = table.ranks(ids[:-1], ids[1:], before[1:])
        place_bits, place_mask = np.uint64(_BITS), np.uint64((1 << _BITS) - 1)
        while True:
            best = np.minimum.reduceat(ranks, self._starts)
            words = (best < _NEVER).nonzero()[0]
            if len(words) <= _STRAGGLERS:
                return words
            best = best.take(words)
            left = (best & place_mask).view(np.int64)
            best >>= place_bits
            right = after.take(left)
            end = after.take(right)
            merged = table.merged.take(best.view(np.int64))
            ids[left] = merged
            ids[right] = gone
            ranks[right] = _NEVER
            after[left] = end
            before[end] = left
            changed = np.concatenate((before.take(left), left))
            ranks[changed] = table.ranks(ids.take(changed), np.concatenate((merged, ids.take(end))), changed)

    def ids_of(self, word: int) -> list[int]:
        """Return the ids of one word."""
        ids = self._ids[self._starts[word] : self._ends[word]]
        found: list[int] = ids[ids != self._gone].tolist()
        return found

    def replace(self, word: int, ids: list[int]) -> None:
        """Put other ids, no more of them, in the place of those of a word."""
        start, end = self._starts[word], self._ends[word]
        self._ids[start:end] = [*ids, *[int(self._gone)] * (end - start - len(ids))]

    def result(self) -> tuple[Any, Any]:
        """Return the ids of all words and how many each has."""
        np = self._np
        there = self._ids < self._nil
        return self._ids[there].astype(np.uint32), np.add.reduceat(there, self._starts, dtype=np.int64)


class _PairTable:
    """Pair of ids -> rank; a pair is in the one or the other of two tables, at the place that its hash says.

    A hash is a pair, of as many bits, times an odd number, so that no two pairs
    have the same. Its upper bits are the place; an entry is the rest of them, at
    the upper end of 64 bits, and the rank, shifted to have room for a place in a row.
    """

    def __init__(self, np: Any, columns: tuple[Any, Any], id_bits: int) -> None:
        self._np = np
        keys, values = columns
        ranks = values >> np.uint64(32)
        self.merged = np.zeros(int(ranks.max()) + 1, np.uint64)
        self.merged[ranks] = values & np.uint64(0xFFFFFFFF)
        self._id_bits = np.uint64(id_bits)
        keys = keys >> np.uint64(32) << self._id_bits | keys & np.uint64(0xFFFFFFFF)
        spare = 64 - 2 * id_bits
        self._factors = np.array([[factor << spare & (1 << 64) - 1] for factor in _FACTORS], np.uint64)
        # What is left of a hash is at most 2 * _BITS above, so that ranks and places have room.
        place_bits = max((len(keys) * 3 // 2).bit_length(), 4 * _BITS - 64)
        while not self._fill(keys, ranks << np.uint64(_BITS), place_bits):
            place_bits += 1

    def ranks(self, left: Any, right: Any, places: Any) -> Any:
        """Return ``rank << 20 | place`` of each pair, at least `_NEVER` for those that do not merge."""
        keys = left << self._id_bits
        keys |= right
        hashes = self._factors * keys
        at = hashes >> self._place_shift
        at += self._second
        hashes <<= self._place_bits
        hashes ^= self._entries.take(at.view(self._np.int64))
        found = hashes.min(0)
        found |= places.view(self._np.uint64)
        return found

    def _fill(self, keys: Any, ranks: Any, place_bits: int) -> bool:
        """Make the tables; False if that fails."""
        np = self._np
        size = 1 << place_bits
        self._place_bits, self._place_shift = np.uint64(place_bits), np.uint64(64 - place_bits)
        self._second = np.array([[0], [size]], np.uint64)
        hashes = self._factors * keys
        places = (hashes >> self._place_shift) + self._second
        holders = np.full(2 * size, -1)
        waiting, table = np.arange(len(keys)), 0
        for _ in range(100):
            at = places[table][waiting]
            driven_out = holders[at]
            holders[at] = waiting
            lost = waiting[holders[at] != waiting]
            waiting, table = np.concatenate([lost, np.unique(driven_out[driven_out >= 0])]), 1 - table
            if not len(waiting):
                break
        taken = (holders >= 0).nonzero()[0]
        held = holders[taken]
        self._entries = np.full(2 * size, (1 << 64) - 1, np.uint64)
        self._entries[taken] = hashes[taken // size, held] << self._place_bits | ranks[held]
        return not len(waiting)
