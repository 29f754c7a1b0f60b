"""Added tokens for the readers: which go into the special list, which into .mtok's own section."""

from __future__ import annotations

from vocab_converters._facts import Loss, flat_normalizers, longest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokenizers_lite.spec import AddedToken, Spec


def overlap(first: str, second: str) -> bool:
    """Tell whether two tokens can claim the same characters of a text."""
    if first in second or second in first:
        return True
    return any(
        first.endswith(second[:size]) or second.endswith(first[:size])
        for size in range(1, min(len(first), len(second)))
    )


def matched_as_special(
    tokens: Iterable[AddedToken], shown: Callable[[AddedToken], bool]
) -> tuple[list[AddedToken], list[AddedToken]]:
    """Part tokens into those the special list can hold, longest first, and the rest.

    The special list is searched first, so a token that overlaps one of the
    rest joins the rest: there the earliest and longest wins, as in
    `tokenizers`.

    Args:
        tokens: all added tokens.
        shown: tells whether the reader prints a token's id as the token's own
            text, which is what it looks for, and whether the list may hold it.
    """
    listed: list[AddedToken] = []
    rest: list[AddedToken] = []
    for token in longest_first(tokens):
        plain = shown(token) and not token.lstrip and not token.rstrip and token.content
        (listed if plain else rest).append(token)
    moved = [token for token in listed if any(overlap(token.content, other.content) for other in rest)] if rest else []
    while moved:
        rest += moved
        listed = [token for token in listed if token not in moved]
        moved = [token for token in listed if any(overlap(token.content, other.content) for other in moved)]
    return listed, longest_first(rest)


def flag_losses(spec: Spec) -> list[Loss]:
    """Name the flags of added tokens that no reader knows."""
    losses = []
    words = [token.content for token in spec.added_tokens if token.single_word]
    if words:
        losses.append(
            Loss("added_tokens.single_word", f"{_some(words)} match inside words too", "none for these readers")
        )
    greedy = [token.content for token in spec.added_tokens if token.lstrip or token.rstrip]
    if greedy:
        what = f"{_some(greedy)} swallow at most ASCII white space beside them"
        losses.append(Loss("added_tokens.lstrip", what, "the compact format keeps it"))
    if not any(True for _ in flat_normalizers(spec.normalizer)):
        return losses
    normalized = [token.content for token in spec.added_tokens if token.normalized]
    if normalized:
        what = f"{_some(normalized)} are looked for in the text as typed, not after normalization"
        losses.append(Loss("added_tokens.normalized", what, "the compact format keeps normalized matching"))
    return losses


def _some(texts: list[str]) -> str:
    """Name up to three of the texts."""
    return ", ".join(map(repr, texts[:3])) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
