"""The slow, obvious algorithms that the fast ones are held against."""

from itertools import pairwise


def bpe(symbols: list[str], merges: list[tuple[str, str]]) -> list[str]:
    """Merge by the book: the best pair that is there, leftmost first, one at a time."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    symbols = list(symbols)
    while True:
        found = [(ranks[pair], at) for at, pair in enumerate(pairwise(symbols)) if pair in ranks]
        if not found:
            return symbols
        _, at = min(found)
        symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]


def leftmost_longest(text: str, needles: list[str]) -> list[tuple[int, int]]:
    """Find needles from the left, the longest at each place, without overlap."""
    found = []
    at = 0
    while at < len(text):
        here = max((len(needle) for needle in needles if text.startswith(needle, at)), default=0)
        if here:
            found.append((at, at + here))
        at += here or 1
    return found
