"""Normalized text -> pieces of a sentencepiece BPE model, in n log n on any text.

Semantics are those of sentencepiece 0.2.3 (bpe_model.cc): user-defined pieces
are cut out first and never merge; of the pairs whose text is a piece the one
with the highest score merges first, the leftmost of equal ones; a symbol that
ends as an UNUSED piece is taken apart again the way it was last put together.
"""

from __future__ import annotations

import re
from heapq import heappop, heappush
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers_lite.models._spm_text import Matcher

_NEVER = float("inf")
# Up to this many symbols a scan of the whole list beats an agenda.
_SCAN_LIMIT = 160
_MAX_DEPTH = 100  # kMaxBpeResegmentDepth
# After -score of 0.0 and before that of any negative score.
_MINUS_ZERO = 5e-324


class BPE:
    """Segmentation by merging.

    Args:
        pieces: (text, score, type) by id.
        ids: text -> id of the normal, user-defined and unused pieces.
        matcher: the user-defined pieces.
        blank: what the normalizer writes for a blank.
    """

    def __init__(
        self, pieces: Sequence[tuple[str, float, int]], ids: dict[str, int], matcher: Matcher, blank: str
    ) -> None:
        self._matcher = matcher
        self._words = _word_pattern(pieces, blank)
        self._unused = frozenset(text for text, _, kind in pieces if kind == 5)
        # What orders merges, least first: the score negated. Scores are compared as integers of
        # their bits there (SymbolPairComparator), which puts 0.0 before -0.0.
        self._orders = {text: -pieces[id_][1] for text, id_ in ids.items()}
        for text in [text for text, order in self._orders.items() if not order]:
            if str(self._orders[text]) == "0.0":
                self._orders[text] = _MINUS_ZERO

    def words(self, text: str) -> list[str]:
        """Cut `text` where no merge can cross, so that each part can be segmented for itself.

        That is around user-defined pieces, and before a blank that is inside
        no piece together with what is before it.
        """
        if self._unused:
            return [text]  # how an unused piece is taken apart depends on the whole text
        if self._matcher.empty:
            return self._words.findall(text)
        words: list[str] = []
        for part, fixed in self._matcher.split(text):
            if fixed:
                words.append(part)
            else:
                words += self._words.findall(part)
        return words

    def segment(self, word: str) -> list[str]:
        """Cut one of `words` into pieces; their texts need not be pieces of the model."""
        if self._unused:
            return self._segment_recording(word)
        if not self._matcher.empty and self._matcher.at(word, 0) == word:
            return [word]
        if len(word) <= _SCAN_LIMIT:
            return self._merge_scanning(list(word))
        return self._merge(list(word))

    def _merge_scanning(self, symbols: list[str]) -> list[str]:
        get = self._orders.get
        orders = [get(left + right, _NEVER) for left, right in pairwise(symbols)]
        while orders:
            best = min(orders)
            if best == _NEVER:
                break
            i = orders.index(best)
            merged = symbols[i] = symbols[i] + symbols[i + 1]
            del symbols[i + 1], orders[i]
            if i:
                orders[i - 1] = get(symbols[i - 1] + merged, _NEVER)
            if i < len(orders):
                orders[i] = get(merged + symbols[i + 1], _NEVER)
        return symbols

    def _merge(
        self,
        symbols: list[str],
        fixed: list[bool] | None = None,
        made_of: dict[str, tuple[str, str]] | None = None,
    ) -> list[str]:
        """Merge by agenda; symbols that are `fixed` stay as they are.

        Note in `made_of` what unused pieces can be made of when that comes up.
        """
        get = self._orders.get
        n = len(symbols)
        after = list(range(1, n + 1))
        before = list(range(-1, n - 1))
        # Pairs by their order, each as the index of its left symbol: heaps of plain numbers.
        agenda: dict[float, list[int]] = {}
        waiting: list[float] = []

        def look_up(left: int, right: int) -> None:
            if left < 0 or right >= n or (fixed is not None and (fixed[left] or fixed[right])):
                return
            text = symbols[left] + symbols[right]
            order = get(text)
            if order is None:
                return
            if made_of is not None and text in self._unused:
                made_of[text] = symbols[left], symbols[right]
            if order in agenda:
                heappush(agenda[order], left)
            else:
                agenda[order] = [left]
                heappush(waiting, order)

        for i in range(n - 1):
            look_up(i, i + 1)
        while waiting:
            order = waiting[0]
            lefts = agenda[order]
            if not lefts:
                del agenda[heappop(waiting)]
                continue
            left = heappop(lefts)
            right = after[left]
            if right >= n or not symbols[left]:
                continue
            merged = symbols[left] + symbols[right]
            if get(merged) != order:
                continue  # one of the two has merged with another since
            symbols[left] = merged
            symbols[right] = ""
            after[left] = following = after[right]
            if following < n:
                before[following] = left
            look_up(before[left], left)
            look_up(left, following)
        return [symbol for symbol in symbols if symbol]

    def _segment_recording(self, text: str) -> list[str]:
        symbols: list[str] = []
        fixed: list[bool] = []
        for part, whole in self._matcher.split(text):
            symbols += [part] if whole else part
            fixed += [whole] * (1 if whole else len(part))
        made_of: dict[str, tuple[str, str]] = {}
        merged = self._merge(symbols, fixed, made_of)
        return [piece for symbol in merged for piece in _take_apart(symbol, made_of, 0)]


def _take_apart(symbol: str, made_of: dict[str, tuple[str, str]], depth: int) -> Iterator[str]:
    if symbol not in made_of or depth > _MAX_DEPTH:
        yield symbol
        return
    for part in made_of[symbol]:
        yield from _take_apart(part, made_of, depth + 1)


def _word_pattern(pieces: Sequence[tuple[str, float, int]], blank: str) -> re.Pattern[str]:
    """Return a pattern for runs of blanks with what follows, as far as merges may reach."""
    inner = re.compile(f"[^{blank}\0]{blank}")
    joined: set[str] = set()
    if inner.search("\0".join([text for text, _, _ in pieces])):
        joined = {pair[0] for text, _, kind in pieces if kind == 1 for pair in inner.findall(text)}
    if not joined:
        return re.compile(f"{blank}*[^{blank}]+|{blank}+")
    chars = "".join(map(re.escape, sorted(joined)))
    return re.compile(f"{blank}*(?:[^{blank}]|(?<=[{chars}]){blank}+)+|{blank}+")
