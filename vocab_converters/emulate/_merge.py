"""Merging symbols by rank: lowest rank first, leftmost among equals, one at a time."""

from __future__ import annotations

import heapq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import TypeVar

    Symbol = TypeVar("Symbol", bound=Hashable)


def merge(
    symbols: list[Symbol], lookup: Callable[[Symbol, Symbol], tuple[float, Symbol | None] | None]
) -> list[Symbol]:
    """Merge adjacent symbols until no pair has a rank.

    Equal to the readers' quadratic scan, in n log n: a heap of (rank,
    position), where an entry counts only while its two symbols are still the
    ones it was made for.

    Args:
        symbols: what to merge; not changed.
        lookup: pair -> (rank, merged symbol), or None for no merge. A merged
            symbol of None stops all merging, as a missing token does in .mtok.
    """
    count = len(symbols)
    work: list[Symbol | None] = list(symbols)
    left = list(range(-1, count - 1))
    right = list(range(1, count + 1))
    heap: list[tuple[float, int, int]] = []
    merged: dict[tuple[int, int], Symbol | None] = {}
    version = [0] * count

    def push(at: int) -> None:
        follower = right[at]
        first, second = work[at], work[follower] if follower < count else None
        if first is None or second is None:
            return
        found = lookup(first, second)
        if found is not None:
            stamp = version[at] + version[follower]
            merged[at, stamp] = found[1]
            heapq.heappush(heap, (found[0], at, stamp))

    for index in range(count - 1):
        push(index)
    while heap:
        _, at, stamp = heapq.heappop(heap)
        follower = right[at]
        if work[at] is None or follower >= count or version[at] + version[follower] != stamp:
            continue
        symbol = merged[at, stamp]
        if symbol is None:
            break
        work[at] = symbol
        work[follower] = None
        version[at] = stamp + 1
        right[at] = right[follower]
        if right[at] < count:
            left[right[at]] = at
        if left[at] >= 0:
            push(left[at])
        push(at)
    return [symbol for symbol in work if symbol is not None]
