"""Words of a text -> ids, all at once, by a table of the words that were met.

Words are found by a 64-bit hash and then compared unit by unit (of UTF-16), so
that no text, however it was made, gets another word's ids. Words that are not
in the table are merged, together if they are many, and put there.
"""

from __future__ import annotations

from tokenizers_lite.bulk.merging import FEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tokenizers_lite.bulk.flags import PairFlags
    from tokenizers_lite.bulk.merging import WordMerger

    # What stands for a MARK: an id, or the ids of a long word.
    Mark = int | list[int]

# Stands in a text for ids that are known already.
MARK = "\0"
# Stands between texts that must not be merged.
BORDER = "\1"
# Longest word that is kept, in units.
LONGEST = 128
# Units that are cut and hashed at once: few enough to stay in the processor's cache.
WINDOW = 1 << 16
# Words that are kept.
WORDS = 1 << 16

_SLOT_BITS = 17  # log2 of the slots for words
_WORD_FACTOR = 0x9E3779B97F4A7C15  # 2^64 / golden ratio
# A word's hash is the polynomial of its units at this odd number, modulo 2^64.
_BASE = 0xD1342543DE82EF95
# The id of MARK in the table, above all ids.
NIL = 0xFFFFFFFF
# What may be marked at the end of a text, above all ids, too.
END = NIL - 1


class WordTable:
    """Encodes texts of at least a few hundred characters; not for two threads at a time.

    Args:
        np: the module numpy.
        flags: where texts may be cut.
        spell: BPE of a word.
        merger: does the same for many words, if there is one.
    """

    def __init__(
        self, np: Any, flags: PairFlags, spell: Callable[[str], list[int]], merger: WordMerger | None = None
    ) -> None:
        self._np = np
        self._spell = spell
        self._merger = merger
        self._flags = flags
        self._up = self._down = self._range = np.zeros(0, np.int64)
        self._reserve(WINDOW)
        self._clear()

    def encode(self, text: str, marks: Sequence[Mark] = ()) -> Any:
        """Return the ids of a text as an array, ``uint32[n]``.

        Args:
            text: is cut at each `MARK` and `BORDER`.
            marks: what stands for each `MARK`; ids up to `END`.
        """
        np = self._np
        units = np.frombuffer(text.encode("utf-16-le"), "<u2")
        waiting = list(marks)
        done = []
        at, size = 0, WINDOW
        while at < len(units):
            window = units[at : at + size]
            starts = self._starts_in(window)
            if at + size < len(units):
                if len(starts) == 1:
                    size *= 2
                    continue
                # A word that fills a window goes alone; else the last one, which may go on, is left.
                end = starts[1 if size > WINDOW else -1]
                window, starts = window[:end], starts[starts < end]
            done += self._encode_window(window, starts, waiting)
            at += len(window)
            size = WINDOW
        return done[0] if len(done) == 1 else np.concatenate([np.zeros(0, np.uint32), *done])

    def _starts_in(self, units: Any) -> Any:
        """Return where the words of a text start."""
        np = self._np
        cut = np.empty(len(units), bool)
        cut[0] = True
        cut[1:] = self._flags.uncrossed(units)
        special = units < 2
        if special.any():
            cut |= special
            cut[1:] |= special[:-1]
        return cut.nonzero()[0]

    def _encode_window(self, units: Any, starts: Any, marks: list[Mark]) -> list[Any]:
        """Return the ids of some words, in arrays; take the marks among them off the list."""
        np = self._np
        sizes = _differences(np, starts, len(units))
        if sizes.max() > LONGEST:
            units = self._without_long(units, starts, sizes, marks)
            starts = self._starts_in(units)
            sizes = _differences(np, starts, len(units))
        slots = self._look_up(units, starts, sizes)
        if slots is None:
            return self._one_by_one(units, starts, sizes, marks)
        found = self._found.take(slots)
        counts = found & 0xFFFF
        found >>= 16
        ids = self._ids.values.take(self._spread(found, counts))
        return self._with_marks(ids, marks) if marks else [ids]

    def _spread(self, starts: Any, counts: Any) -> Any:
        """Return the numbers from each start on, as many as its count, one after another."""
        ends = counts.cumsum()
        self._reserve(int(ends[-1]))
        starts = starts - ends
        starts += counts
        places = starts.repeat(counts)
        places += self._range[: len(places)]
        return places

    def _with_marks(self, ids: Any, marks: list[Mark]) -> list[Any]:
        """Return ids with the first of the marks in their places."""
        np = self._np
        places = (ids == NIL).nonzero()[0]
        taken, marks[:] = marks[: len(places)], marks[len(places) :]
        if not any(isinstance(mark, list) for mark in taken):
            ids[places] = taken
            return [ids]
        parts = []
        at = 0
        for place, mark in zip(places.tolist(), taken, strict=True):
            parts += [ids[at:place], np.array(mark if isinstance(mark, list) else [mark], np.uint32)]
            at = place + 1
        return [*parts, ids[at:]]

    def _without_long(self, units: Any, starts: Any, sizes: Any, marks: list[Mark]) -> Any:
        """Return the text with a `MARK` for each long word, and put their ids among the marks."""
        np = self._np
        parts = []
        at = before = 0
        for word in (sizes > LONGEST).nonzero()[0].tolist():
            start = int(starts[word])
            before += int((units[at:start] == 0).sum())
            parts += [units[at:start], np.zeros(1, np.uint16)]
            at = start + int(sizes[word])
            marks.insert(before, self._spell(_text(units[start:at])))
            before += 1
        return np.concatenate([*parts, units[at:]]).astype("<u2")

    def _one_by_one(self, units: Any, starts: Any, sizes: Any, marks: list[Mark]) -> list[Any]:
        """Do what `_encode_window` does without the table."""
        ids: list[int] = []
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            word = _text(units[start : start + size])
            ids += [NIL] if word == MARK else [] if word == BORDER else self._spell(word)
        return self._with_marks(self._np.array(ids, self._np.uint32), marks)

    # ------------------------------------------------------------ the table

    def _clear(self) -> None:
        np = self._np
        slots = 1 << _SLOT_BITS
        self._keys = np.zeros(slots, np.uint64)  # hash of each word, 0 where there is none
        self._starts = np.zeros(slots, np.int64)  # where its units are
        self._sizes = np.zeros(slots, np.int64)  # and how many
        self._found = np.zeros(slots, np.int64)  # where its ids are << 16, and how many
        self._units = _Pool(np, np.uint16)
        self._ids = _Pool(np, np.uint32)
        self._count = 0
        self._add(np.array([ord(MARK), ord(BORDER)], np.uint16), np.ones(2, np.int64), [[NIL], []])

    def _reserve(self, size: int) -> None:
        """Have the powers of the base, and the numbers, up to a size."""
        np = self._np
        if size <= len(self._range):
            return
        size = 1 << size.bit_length()
        self._range = np.arange(size)
        self._up = np.full(size, _BASE, np.uint64)
        self._down = np.full(size, pow(_BASE, -1, 1 << 64), np.uint64)
        for powers in (self._up, self._down):
            powers[0] = 1
            powers.cumprod(out=powers)

    def _look_up(self, units: Any, starts: Any, sizes: Any) -> Any:
        """Return the slot of each word, those that are new included; None if two words have the same hash."""
        keys = self._hashes(units, starts)
        slots, missing = self._probe(keys)
        if len(missing):
            if self._count + len(missing) > WORDS:
                self._clear()
                _, missing = self._probe(keys)
            _, at = self._np.unique(keys.take(missing), return_index=True)
            self._learn(units, starts, sizes, missing.take(at))
            slots, _ = self._probe(keys)
        places = self._spread(self._starts.take(slots), sizes)
        # A slot may be another's whose word is shorter: then the place may be beyond the end.
        same = self._units.values.take(places, mode="clip") == units
        return slots if same.all() and (self._sizes.take(slots) == sizes).all() else None

    def _hashes(self, units: Any, starts: Any) -> Any:
        """Return a hash of each word, never 0."""
        np = self._np
        self._reserve(len(units))
        sums = np.zeros(len(units) + 1, np.uint64)
        np.cumsum(units * self._up[: len(units)], out=sums[1:])
        at = sums.take(starts)
        keys = _differences(np, at, sums[-1])
        keys *= self._down.take(starts)
        keys *= np.uint64(_WORD_FACTOR)
        keys |= np.uint64(1)
        return keys

    def _probe(self, keys: Any) -> tuple[Any, Any]:
        """Return the slot where each key is or could be, and the indexes of those that are not there."""
        np = self._np
        slots = (keys >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
        todo = (self._keys.take(slots) != keys).nonzero()[0]
        missing = [todo[:0]]
        while len(todo):
            there = self._keys.take(slots[todo])
            missing.append(todo[there == 0])
            todo = todo[(there != 0) & (there != keys[todo])]
            slots[todo] = (slots[todo] + 1) & ((1 << _SLOT_BITS) - 1)
        return slots, np.concatenate(missing)

    def _learn(self, units: Any, starts: Any, sizes: Any, words: Any) -> None:
        """Merge words, given by their indexes, and keep them."""
        sizes = sizes.take(words)
        units = units.take(self._spread(starts.take(words), sizes))
        starts = sizes.cumsum() - sizes
        if self._merger is None or len(words) < FEW:
            self._learn_each(units, starts, sizes)
            return
        symbols, fit = self._merger.symbols(units, starts)
        if not fit.all():
            others = (~fit).nonzero()[0]
            self._learn_each(units, starts.take(others), sizes.take(others))
            inside = fit.repeat(sizes)
            units, symbols, sizes = units[inside], symbols[inside], sizes[fit]
        if len(sizes):
            self._put(units, sizes, *self._merger.merge(symbols, sizes))

    def _learn_each(self, units: Any, starts: Any, sizes: Any) -> None:
        """Merge words that cannot start from characters, or few, and keep them."""
        words = [units[start : start + size] for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)]
        texts, units = list(map(_text, words)), self._np.concatenate(words)
        if self._merger is not None and self._merger.of_bytes and len(words) >= FEW:
            self._put(units, sizes, *self._merger.merge_bytes([text.encode() for text in texts]))
            return
        self._add(units, sizes, list(map(self._spell, texts)))

    def _add(self, units: Any, sizes: Any, ids: list[list[int]]) -> None:
        """Put words and their ids into the table."""
        np = self._np
        flat = np.array([id_ for word in ids for id_ in word], np.uint32)
        self._put(units, sizes, flat, np.array(list(map(len, ids))))

    def _put(self, units: Any, sizes: Any, ids: Any, counts: Any) -> None:
        """Put words and their ids into the table: the units and ids of all, and how many each word has."""
        starts = sizes.cumsum() - sizes
        keys = self._hashes(units, starts)
        slots, _ = self._probe(keys)
        todo = self._range[: len(keys)]
        while len(todo):
            at = slots[todo]
            free = self._keys.take(at) == 0
            self._keys[at[free]] = keys[todo[free]]
            todo = todo[self._keys.take(at) != keys[todo]]
            slots[todo] = (slots[todo] + 1) & ((1 << _SLOT_BITS) - 1)
        self._starts[slots] = self._units.add(units) + starts
        self._sizes[slots] = sizes
        self._found[slots] = (self._ids.add(ids) + counts.cumsum() - counts) << 16 | counts
        self._count += len(sizes)


class _Pool:
    """A growing array."""

    def __init__(self, np: Any, dtype: Any) -> None:
        self._np = np
        self.values = np.zeros(1 << 12, dtype)
        self._used = 0

    def add(self, values: Any) -> int:
        """Append values; return where they start."""
        start, end = self._used, self._used + len(values)
        if end > len(self.values):
            grown = self._np.zeros(2 * end, self.values.dtype)
            grown[:start] = self.values[:start]
            self.values = grown
        self.values[start:end] = values
        self._used = end
        return start


def _differences(np: Any, values: Any, end: Any) -> Any:
    """Return the difference of each value and the next one, which for the last is `end`."""
    found = np.empty(len(values), values.dtype)
    np.subtract(values[1:], values[:-1], out=found[:-1])
    np.subtract(end, values[-1:], out=found[-1:])
    return found


def _text(units: Any) -> str:
    text: str = units.tobytes().decode("utf-16-le")
    return text
