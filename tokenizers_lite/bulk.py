"""Bulk: long texts -> ids by numpy, for BPE over characters; the ids are those of `pipeline.cutting` and `models.bpe`.

A text is cut to words wherever no token holds the characters on both sides,
all words are hashed at once, looked up in a table and replaced by their ids,
without an object for each. Words that are not in the table are merged one by
one and put there.

* Pairs of characters are looked up in a million flags by a hash of the pair.
  A pair that shares its flag with a joined one is not cut: slower, but the same ids.
* Words are found by a 64-bit hash and then compared unit by unit, so that no
  text, however it was made, gets another word's ids.

"Units" are those of UTF-16.
"""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from tokenizers_lite.pipeline import Part
    from tokenizers_lite.pipeline.byte_cutting import ByteCuts

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
_PAIR_BITS = 20  # log2 of the flags for pairs
_PAIR_FACTOR = 2654435769  # 2^32 / golden ratio
_WORD_FACTOR = 0x9E3779B97F4A7C15  # 2^64 / golden ratio
# A word's hash is the polynomial of its units at this odd number, modulo 2^64.
_BASE = 0xD1342543DE82EF95
# The id of MARK in the table, and the mark at the end of a piece.
_NIL = 0xFFFFFFFF
_END = _NIL - 1


class Bulk:
    """Encodes the parts of long texts; threads may share it.

    Args:
        np: the module numpy.
        flags: where texts may be cut.
        spell: BPE of a word.
    """

    def __init__(self, np: Any, flags: PairFlags, spell: Callable[[str], list[int]]) -> None:
        from _thread import allocate_lock  # what `threading` would give, without importing it

        self._np = np
        self._table = WordTable(np, flags, spell)
        self._lock = allocate_lock()

    def encode(self, parts: list[Part], pre_tokenize: Callable[[str, bool], list[str]]) -> list[int] | None:
        """Return the ids of the parts of a text, whose pieces `pre_tokenize` gives; None as `_encode`."""
        texts: list[str] = []
        marks: list[Mark] = []
        borders = 0
        for part in parts:
            if type(part) is int:
                texts.append(MARK)
                marks.append(part)
            else:
                pieces = [*pre_tokenize(*part), ""]  # type: ignore[misc]
                borders += len(pieces) - 1
                texts.append(BORDER.join(pieces))
        ids = self._encode("".join(texts), marks, borders)
        return None if ids is None else ids.tolist()

    def encode_each(self, pieces: list[str]) -> list[list[int]] | None:
        """Return the ids of each piece; None as `_encode`."""
        ids = self._encode(MARK.join([*pieces, ""]), [_END] * len(pieces), 0)
        if ids is None:
            return None
        flat = ids.tolist()
        ends = (ids == _END).nonzero()[0].tolist()
        return [flat[start + 1 : end] for start, end in pairwise([-1, *ends])]

    def _encode(self, text: str, marks: list[Mark], borders: int) -> Any:
        """Return the ids of a text; None if another way has to be gone.

        That is where the text holds the characters that mean something here,
        and while another thread is in the table.
        """
        if text.count(MARK) != len(marks) or text.count(BORDER) != borders or not self._lock.acquire(blocking=False):
            return None
        try:
            return self._table.encode(text, marks)
        finally:
            self._lock.release()


class WordTable:
    """Encodes texts of at least a few hundred characters; not for two threads at a time.

    Args:
        np: the module numpy.
        flags: where texts may be cut.
        spell: BPE of a word.
    """

    def __init__(self, np: Any, flags: PairFlags, spell: Callable[[str], list[int]]) -> None:
        self._np = np
        self._spell = spell
        self._flags = flags
        self._up = self._down = self._range = np.zeros(0, np.int64)
        self._reserve(WINDOW)
        self._clear()

    def encode(self, text: str, marks: Sequence[Mark] = ()) -> Any:
        """Return the ids of a text as an array, ``uint32[n]``.

        Args:
            text: is cut at each `MARK` and `BORDER`.
            marks: what stands for each `MARK`; ids up to 2^32 - 2.
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
        return done[0] if len(done) == 1 else np.concatenate(done)

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
        places = (ids == _NIL).nonzero()[0]
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
            ids += [_NIL] if word == MARK else [] if word == BORDER else self._spell(word)
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
        self._add([MARK, BORDER], [[_NIL], []])

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
                missing = range(len(starts))
            self._learn(units, starts, sizes, missing)
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
        missing = []
        while len(todo):
            there = self._keys.take(slots[todo])
            missing.append(todo[there == 0])
            todo = todo[(there != 0) & (there != keys[todo])]
            slots[todo] = (slots[todo] + 1) & ((1 << _SLOT_BITS) - 1)
        return slots, np.concatenate(missing) if missing else ()

    def _learn(self, units: Any, starts: Any, sizes: Any, words: Iterable[int]) -> None:
        """Merge words, given by their indexes, and keep them."""
        raw = units.tobytes()
        at, count = starts.tolist(), sizes.tolist()
        found = dict.fromkeys(raw[2 * at[word] : 2 * (at[word] + count[word])] for word in words)
        texts = [text for word in found if (text := word.decode("utf-16-le")) not in (MARK, BORDER)]
        self._add(texts, list(map(self._spell, texts)))

    def _add(self, words: list[str], ids: list[list[int]]) -> None:
        """Put words and their ids into the table."""
        np = self._np
        units = np.frombuffer("".join(words).encode("utf-16-le"), "<u2")
        sizes = np.array([len(word.encode("utf-16-le")) // 2 for word in words])
        if not len(sizes):
            return
        starts = sizes.cumsum() - sizes
        counts = np.array(list(map(len, ids)))
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
        flat = np.array([id_ for word in ids for id_ in word], np.uint32)
        self._found[slots] = (self._ids.add(flat) + counts.cumsum() - counts) << 16 | counts
        self._count += len(words)


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


class PairFlags:
    """Says between which units no token is that holds both.

    Args:
        np: the module numpy.
        text: all tokens, with characters that stand in no text between them.
        between: those characters' code.
    """

    def __init__(self, np: Any, text: str, between: int) -> None:
        self._np = np
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
        inside = (units[:-1] != between) & (units[1:] != between)
        self._flags = np.ones(1 << _PAIR_BITS, bool)
        self._flags[self._slots(units)[inside]] = False

    def uncrossed(self, units: Any) -> Any:
        """Return ``bool[n - 1]`` for ``uint16[n]``."""
        cut = self._flags.take(self._slots(units))
        high = (units[:-1] & 0xFC00) == 0xD800
        if high.any():  # inside a character beyond U+FFFF, even one that no token has
            cut &= ~high
        return cut

    def _slots(self, units: Any) -> Any:
        """Return the places of the flags of each two neighbours, which are read as one number."""
        np = self._np
        pairs = np.ndarray((len(units) - 1,), "<u4", units, 0, (2,))
        slots = pairs * np.uint32(_PAIR_FACTOR)
        slots >>= np.uint32(32 - _PAIR_BITS)
        return slots


class BytePairFlags(PairFlags):
    """The same for tokens of bytes, which may hold half a character next to a whole one or to another half.

    Args:
        np: the module numpy.
        cuts: the rule, character by character; its bytes must all have tokens.
    """

    def __init__(self, np: Any, cuts: ByteCuts) -> None:
        from tokenizers_lite.pipeline.byte_cutting import is_half

        super().__init__(np, cuts.text, ord(cuts.between))
        codes = np.arange(1 << 16)
        # The last six bits of the first and the last byte of each unit's character; 64 for ASCII.
        lead = np.where(codes < 0x800, 0xC0 | codes >> 6, 0xE0 | codes >> 12) & 63
        self._lead = np.where(codes < 0x80, 64, lead).astype(np.uint8)
        self._tail = np.where(codes < 0x80, 64, codes & 63).astype(np.uint8)
        # Number of each character that stands before or after halves in tokens; 0 for others.
        before = sorted({left for left, right in map(tuple, cuts.joined) if is_half(right) and not is_half(left)})
        after = sorted({right for left, right in map(tuple, cuts.joined) if is_half(left) and not is_half(right)})
        self._before = self._numbered(before)
        self._after = self._numbered(after)
        self._whole_half = np.zeros((len(before) + 1, 65), bool)
        self._half_whole = np.zeros((65, len(after) + 1), bool)
        self._half_half = np.zeros((65, 65), bool)
        for left, right in map(tuple, cuts.joined):
            if is_half(left) and is_half(right):
                self._half_half[ord(left) & 63, ord(right) & 63] = True
            elif is_half(right):
                self._whole_half[before.index(left) + 1, ord(right) & 63] = True
            elif is_half(left):
                self._half_whole[ord(left) & 63, after.index(right) + 1] = True

    def _numbered(self, characters: list[str]) -> Any:
        numbers = self._np.zeros(1 << 16, self._np.uint16)
        for number, character in enumerate(characters, 1):
            if character < "\U00010000":
                numbers[ord(character)] = number
        return numbers

    def uncrossed(self, units: Any) -> Any:
        """Return ``bool[n - 1]`` for ``uint16[n]``."""
        cut = super().uncrossed(units)
        left, right = units[:-1], units[1:]
        tail, lead = self._tail.take(left), self._lead.take(right)
        cut &= ~self._whole_half[self._before.take(left), lead]
        cut &= ~self._half_whole[tail, self._after.take(right)]
        cut &= ~self._half_half[tail, lead]
        surrogates = (units & 0xF800) == 0xD800
        if surrogates.any():  # the tables are for characters up to U+FFFF; others stay with their neighbours
            cut &= ~(surrogates[1:] | surrogates[:-1])
        return cut


def of_characters(np: Any, tokens: Iterable[str]) -> PairFlags:
    """Return the flags of a model whose symbols are characters."""
    return PairFlags(np, MARK.join(tokens), ord(MARK))


def _differences(np: Any, values: Any, end: Any) -> Any:
    """Return the difference of each value and the next one, which for the last is `end`."""
    found = np.empty(len(values), values.dtype)
    np.subtract(values[1:], values[:-1], out=found[:-1])
    np.subtract(end, values[-1:], out=found[-1:])
    return found


def _text(units: Any) -> str:
    text: str = units.tobytes().decode("utf-16-le")
    return text
