"""Questions about all merges of a model at once, answered by numpy if it is imported already."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from tokenizers_lite.models.bpe import BPE

_ID = (1 << 32) - 1


class Merges:
    """The merges of a model.

    Args:
        pairs: ``left << 32 | right`` -> ``rank << 32 | merged``.
    """

    def __init__(self, pairs: Mapping[int, int]) -> None:
        self.pairs = pairs

    def latest(self, ids: Collection[int]) -> dict[int, int]:
        """Return the highest rank at which each of some tokens is made, -1 for those that no merge makes."""
        ranks = dict.fromkeys(ids, -1)
        for value in self.pairs.values():
            id_ = value & _ID
            if id_ in ranks and value >> 32 > ranks[id_]:
                ranks[id_] = value >> 32
        return ranks

    def early(self, ranks: Mapping[int, int]) -> set[int]:
        """Return those tokens that merge with another one at the rank given for them or at a lower one."""
        found = set()
        for key, value in self.pairs.items():
            for id_ in (key >> 32, key & _ID):
                if value >> 32 <= ranks.get(id_, -1):
                    found.add(id_)
        return found

    def into(self, lefts: Collection[int], rights: Collection[int]) -> list[tuple[int, int, int]]:
        """Return left id, right id and rank of merges whose left id is among some, or whose right id among others."""
        found = ((key >> 32, key & _ID, value >> 32) for key, value in self.pairs.items())
        return [(left, right, rank) for left, right, rank in found if left in lefts or right in rights]


class NumpyMerges(Merges):
    """The same on arrays.

    Args:
        np: the module numpy.
        pairs: as above.
        columns: its keys and its values, ``uint64[n]`` each.
        size: above all ids.
    """

    def __init__(self, np: Any, pairs: Mapping[int, int], columns: tuple[Any, Any], size: int) -> None:
        super().__init__(pairs)
        self._np = np
        self._size = size
        keys, values = (column.view(np.int64) for column in columns)
        self._lefts, self._rights = keys >> 32, keys & _ID
        self._ranks, self._merged = values >> 32, values & _ID

    def latest(self, ids: Collection[int]) -> dict[int, int]:
        """Do the same."""
        np = self._np
        ranks = np.full(self._size, -1)
        np.maximum.at(ranks, self._merged, self._ranks)
        wanted = list(ids)
        return dict(zip(wanted, ranks[wanted].tolist(), strict=True)) if wanted else {}

    def early(self, ranks: Mapping[int, int]) -> set[int]:
        """Do the same."""
        bounds = self._np.full(self._size, -1)
        if ranks:
            bounds[list(ranks)] = list(ranks.values())
        found: set[int] = set()
        for ids in (self._lefts, self._rights):
            found.update(ids[self._ranks <= bounds.take(ids)].tolist())
        return found

    def into(self, lefts: Collection[int], rights: Collection[int]) -> list[tuple[int, int, int]]:
        """Do the same."""
        at = (self._among(self._lefts, lefts) | self._among(self._rights, rights)).nonzero()[0]
        columns = (column[at].tolist() for column in (self._lefts, self._rights, self._ranks))
        return list(zip(*columns, strict=True))

    def _among(self, ids: Any, some: Collection[int]) -> Any:
        there = self._np.zeros(self._size, bool)
        there[list(some)] = True
        return there.take(ids)


def merges_of(model: BPE) -> Merges:
    """Return the merges of a model, which from now on has them in a dict."""
    import sys

    np = sys.modules.get("numpy")
    pairs: Any = model.whole_pairs()
    return Merges(pairs) if np is None else NumpyMerges(np, pairs, model.columns(np), model.bound())
