"""Whole vocabularies: spec -> all its tokens; spec and new tokens -> a larger spec."""

from __future__ import annotations

from tokenizers_lite.spec import AddedToken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tokenizers_lite.models import Model
    from tokenizers_lite.spec import Spec


def all_tokens(spec: Spec) -> dict[str, int]:
    """Return a new dict of token text -> id, added tokens included."""
    model: Any = spec.model
    kind = type(model).__name__
    if kind in ("Unigram", "SentencePiece"):
        pieces = model.vocab if kind == "Unigram" else model.pieces
        tokens = {piece[0]: id_ for id_, piece in enumerate(pieces)}
    else:
        tokens = dict(model.vocab)
    tokens.update((token.content, token.id) for token in spec.added_tokens)
    return tokens


def extended(spec: Spec, model: Model, tokens: Iterable[str | AddedToken], special: bool) -> Spec:
    """Return a spec that also has `tokens`; see `Tokenizer.with_tokens`."""
    added = {token.content: token for token in spec.added_tokens}
    for item in tokens:
        token = item if isinstance(item, AddedToken) else AddedToken(0, item, normalized=not special)
        if not token.content:
            continue
        known = added.get(token.content)
        id_ = known.id if known else model.token_to_id(token.content)
        if id_ is None:
            highest = max((t.id for t in added.values()), default=-1)
            id_ = max(model.vocab_size, highest + 1)
        added[token.content] = token.replace(id=id_, special=token.special or special)
    return spec.replace(added_tokens=tuple(added.values()))
