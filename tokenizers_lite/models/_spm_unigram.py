"""Normalized text -> pieces of a sentencepiece unigram model.

Semantics are those of sentencepiece 0.2.3 (unigram_model.cc, EncodeOptimized):
best path by sums of scores in single precision, the earliest of equal ones.
"""

from __future__ import annotations

from array import array

from tokenizers_lite.models._lengths import PieceLengths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FLT_MAX = 3.4028234663852886e38
_UNK_PENALTY = 10.0
_RESET = 100_000.0  # kScoreResetThreshold


class Unigram:
    """Segmentation by the best path.

    Args:
        pieces: (text, score, type) by id.
        ids: text -> id of the normal, user-defined and unused pieces.
    """

    def __init__(self, pieces: Sequence[tuple[str, float, int]], ids: dict[str, int]) -> None:
        self._scores: dict[str, float] = {}
        single = array("f", [0.0])
        low = _FLT_MAX
        for text, id_ in ids.items():
            _, score, kind = pieces[id_]
            if kind == 5:
                continue
            if kind == 1:
                low = min(low, score)
            else:
                single[0] = 0.1 * (len(text.encode()) - 1)  # GetUserDefinedScore
                score = single[0]
            self._scores[text] = score
        single[0] = low - _UNK_PENALTY
        self._unk_score = single[0]
        self._lengths = PieceLengths(self._scores)

    @staticmethod
    def words(text: str) -> list[str]:
        """Return the text whole: rounding carries over from each piece to all after it."""
        return [text] if text else []

    def segment(self, text: str) -> list[str]:
        """Cut `text` into pieces; those that are not pieces of the model are single characters."""
        n = len(text)
        best = array("f", bytes(4 * (n + 1)))
        origin = [-1] * (n + 1)
        scores, lengths = self._scores, self._lengths
        single = array("f", [0.0])
        frontier = 0
        for start in range(n):
            here = best[start]
            if here > _RESET or here < -_RESET:
                # Keeps single precision useful on long texts, and so is part of what is computed.
                for i in range(start, frontier + 1):
                    if i == start or origin[i] >= 0:
                        best[i] -= here
                here = 0.0
            known = False
            for length in lengths[text[start : start + 2]]:
                end = start + length
                score = scores.get(text[start:end]) if end <= n else None
                if score is None:
                    continue
                known = known or length == 1
                frontier = max(frontier, end)
                if origin[end] < 0 or score + here > best[end]:
                    single[0] = score + here  # rounds
                    if origin[end] < 0 or single[0] > best[end]:
                        best[end] = single[0]
                        origin[end] = start
            if not known:
                end = start + 1
                frontier = max(frontier, end)
                single[0] = self._unk_score + here
                if origin[end] < 0 or single[0] > best[end]:
                    best[end] = single[0]
                    origin[end] = start
        return _trace(text, origin)


def _trace(text: str, origin: list[int]) -> list[str]:
    end = len(text)
    pieces: list[str] = []
    while end > 0:
        pieces.append(text[origin[end] : end])
        end = origin[end]
    pieces.reverse()
    return pieces
