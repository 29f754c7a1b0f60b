"""BPE of one symbol many times over: what merges at the front of a run comes back after a few steps.

The lowest rank merges first, the leftmost pair of it. In a run of one symbol
that is the first pair of the symbols that are left, unless what was made last
merges at a lower rank with what is before or behind it. So merges happen at one
place, the border between what has been made and what is left, and go by the last
token made alone, as long as none before it is touched. If that token
comes up a second time, everything between repeats until the run is used up.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.models.bpe import Pairs

_NEVER = 1 << 64
_ID = (1 << 32) - 1
# Merges after which a run that does not repeat is left to others.
_STEPS = 10_000


def merge_run(symbol: int, count: int, pairs: Pairs) -> list[int]:
    """Return ids that BPE of `symbol`, `count` times, comes by on its way; BPE of them is BPE of the run.

    Args:
        symbol: its id.
        count: how many there are.
        pairs: the merges.
    """
    same = pairs.get(symbol << 32 | symbol, _NEVER)
    made: list[int] = []
    # Last token made -> how many tokens were made and how many symbols left when the next two symbols were due.
    seen: dict[int, tuple[int, int]] = {}
    for _ in range(_STEPS if same != _NEVER else 0):
        if count < 2:
            break
        inner = pairs.get(made[-2] << 32 | made[-1], _NEVER) if len(made) > 1 else _NEVER
        outer = pairs.get(made[-1] << 32 | symbol, _NEVER) if made else _NEVER
        if inner <= min(outer, same):
            made[-2:] = [inner & _ID]
        elif outer <= same:
            made[-1] = outer & _ID
            count -= 1
        else:
            if made:
                size, before = seen.get(made[-1], (0, 0))
                if size:
                    times = (count - 2) // (before - count)
                    made += made[size:] * times
                    count -= times * (before - count)
                    break
                seen[made[-1]] = len(made), count
            made.append(same & _ID)
            count -= 2
            continue
        # A token was touched: what was seen from it on does not hold any more.
        seen = {token: state for token, state in seen.items() if state[0] < len(made)}
    return made + [symbol] * count
