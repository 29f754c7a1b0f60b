"""Batches: texts are encoded in groups, so that what is new in all of a group is computed together."""

from __future__ import annotations

from tokenizers_lite.added import skipping
from tokenizers_lite.tokenizer import scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers_lite.added import AddedTokens, Special
    from tokenizers_lite.components import Components

# Characters of a group; more gain nothing.
GROUP = 1 << 16


def encode_batch(
    components: Components, texts: Iterable[str], add_special_tokens: bool, allowed: Special, disallowed: Special
) -> list[list[int]]:
    """Return what `Tokenizer.encode` does for each text, or raise what it does for the first that it does not take.

    The post-processor must neither repeat nor drop the text.
    """
    skip = skipping(allowed)
    found: list[list[int]] = []
    for group in _groups(components.added, texts, allowed, disallowed):
        found += components.ids_of_each(group, skip)
    before, after = (components.frame if add_special_tokens else None) or ((), ())
    return [[*before, *ids, *after] for ids in found] if before or after else found


def _groups(added: AddedTokens, texts: Iterable[str], allowed: Special, disallowed: Special) -> Iterator[list[str]]:
    """Yield texts in groups; those before one that is refused come first, since encoding them may raise, too."""
    group: list[str] = []
    size = 0
    try:
        for raw in texts:
            text = scalars(raw)
            if disallowed:
                added.refuse(text, allowed, disallowed)
            group.append(text)
            size += len(text)
            if size >= GROUP:
                yield group
                group, size = [], 0
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group
