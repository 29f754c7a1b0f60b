"""BPE of very long runs by numpy: all merges of one rank at a time.

One letter a million times takes a heap a million steps, but twenty ranks: each
halves the run. Merging all places of the lowest rank at once is what BPE does
one by one, as long as no pair that comes into being, if only for a while, has
as low a rank; where one does, or where ranks are many, the heap goes on from there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.models.bpe import Pairs

# Symbols from which on this is faster, and from which on it is worth the import of numpy.
LONG = 500
_IMPORT = 60_000
# Kinds of pairs in a text that is a run.
_KINDS = 24
_ID = (1 << 32) - 1
_NEVER = 1 << 64


def merge_levels(ids: list[int], pairs: Pairs) -> list[int]:
    """Return `ids` after as many whole levels of merges as can be had; BPE of them is BPE of `ids`."""
    np = _numpy(len(ids))
    if np is None:
        return ids
    symbols = np.array(ids, np.int64)
    while len(symbols) > LONG:
        keys = symbols[:-1] << 32 | symbols[1:]
        kinds = _kinds(keys)
        values = {key: pairs.get(key, _NEVER) for key in kinds}
        best = min(values.values(), default=_NEVER)
        if best == _NEVER or len(kinds) > _KINDS:
            break
        key = next(key for key in kinds if values[key] == best)
        at = _apart(np, (keys == key).nonzero()[0])
        merged = _merge_at(np, symbols, at, best & _ID)
        # One by one from the left, each new symbol first stands before one that is not merged yet, and then beside
        # what is there in the end.
        passing = (best & _ID) << 32 | symbols[at[at < len(symbols) - 2] + 2]
        fresh = [*_kinds(passing), *_kinds(merged[:-1] << 32 | merged[1:])]
        if len(fresh) > _KINDS or any(pairs.get(pair, _NEVER) <= best for pair in fresh if pair not in values):
            break
        symbols = merged
    found: list[int] = symbols.tolist()
    return found


def _numpy(size: int) -> Any:
    import sys

    if size < _IMPORT and "numpy" not in sys.modules:
        return None
    try:
        import numpy as np
    except ImportError:
        return None
    return np


def _kinds(keys: Any) -> list[int]:
    """Return the different keys, or more than `_KINDS` of them."""
    found: list[int] = []
    while len(keys) and len(found) <= _KINDS:
        found.append(int(keys[0]))
        keys = keys[keys != keys[0]]
    return found


def _apart(np: Any, at: Any) -> Any:
    """Return the places of pairs without those that overlap the one before: in a row (aaa), every other one stays."""
    if len(at) < 2:
        return at
    starts = np.ones(len(at), bool)
    np.not_equal(at[1:], at[:-1] + 1, out=starts[1:])
    row = np.arange(len(at))
    return at[(row - np.maximum.accumulate(np.where(starts, row, 0))) % 2 == 0]


def _merge_at(np: Any, symbols: Any, at: Any, merged: int) -> Any:
    """Merge the pairs at some places."""
    symbols = symbols.copy()
    symbols[at] = merged
    keep = np.ones(len(symbols), bool)
    keep[at + 1] = False
    return symbols[keep]
