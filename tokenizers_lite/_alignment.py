"""Encoding with offsets: text -> `Encoding`, by the same components on text that knows where it comes from."""

from __future__ import annotations

from tokenizers_lite.added import split
from tokenizers_lite.encoding import Encoding, truncate_pair
from tokenizers_lite.normalized import NormalizedString

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenizers_lite.added import Skip
    from tokenizers_lite.components import Components
    from tokenizers_lite.spec import AddedToken, Truncation

    Row = tuple[int, str, tuple[int, int], int]  # id, token, offsets, word


def encoding(
    components: Components,
    texts: tuple[str, str | None],
    skip: Skip | None,
    truncation: Truncation | None,
    add_special_tokens: bool,
) -> Encoding:
    """Return the encoding of a text (and None) or a pair.

    Raises:
        TruncationError: the input cannot be cut as asked.
    """
    text, pair = texts
    a = aligned(components, text, 0, skip)
    b = None if pair is None else aligned(components, pair, 1, skip)
    if truncation is not None:
        n_added = components.post_processor.added_tokens(b is not None) if add_special_tokens else 0
        a, b = truncate_pair(a, b, truncation, n_added)
    return components.post_processor.process(a, b, add_special_tokens)


def aligned(components: Components, text: str, type_id: int, skip: Skip | None) -> Encoding:
    """Return the encoding of a text without what post-processing adds."""
    if components.engine is not None:
        found = components.engine.encode_with_offsets(text)
        rows = [(id_, components.token_of(id_) or "", (s, e), word) for word, (id_, s, e) in enumerate(found)]
    else:
        rows = _all_rows(components, text, skip)
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Encoding.of(*columns, type_id=type_id)  # type: ignore[misc]


def prefix(components: Components, text: str, skip: Skip | None, max_tokens: int, excess: Callable[[str], int]) -> str:
    """Return the longest beginning of a text, of whole tokens and whole characters, that is not too long.

    Args:
        components: of the tokenizer.
        text: what is too long.
        skip: which added tokens stay text.
        max_tokens: how many tokens of the text itself there is room for.
        excess: tells of a text by how many tokens it is too long.
    """
    offsets = aligned(components, text, 0, skip).offsets
    keep = min(max_tokens, len(offsets) - 1)
    while keep > 0:
        # Ends before the first token too many: a character spread over tokens is kept whole or not at all.
        beginning = text[: offsets[keep][0]]
        over = excess(beginning)
        if over <= 0:
            return beginning
        # A post-processor may repeat the text, so that one token fewer of it is several fewer.
        keep -= 1 if components.frame is None else over
    return ""


def _all_rows(components: Components, text: str, skip: Skip | None) -> list[Row]:
    rows: list[Row] = []
    word = 0
    for part, id_ in _parts(components, NormalizedString.of(text), skip):
        if id_ is not None:
            rows.append((id_, part.text, part.offsets(), word))
            word += 1
            continue
        for piece in _split(components, part):
            rows += _rows(components, piece, word, text)
            word += 1
    return rows


def _parts(
    components: Components, text: NormalizedString, skip: Skip | None
) -> Iterator[tuple[NormalizedString, int | None]]:
    """Yield the parts between and of added tokens, normalized, with the ids of the latter."""
    for start, end, id_ in split(text.text, components.added.raw, skip):
        part = text.slice(start, end)
        if id_ is not None:
            yield part, id_
            continue
        if components.normalizer is not None:
            part = components.normalizer.align(part)
        inner_skip = None if skip is None else _in_original(part, skip)
        for inner_start, inner_end, inner_id in split(part.text, components.added.normalized, inner_skip):
            yield part.slice(inner_start, inner_end), inner_id


def _split(components: Components, part: NormalizedString) -> list[NormalizedString]:
    if components.pre_tokenizer is None:
        return [part]
    return components.pre_tokenizer.pre_tokenize_aligned(part, part.offsets()[0] == 0)


def _rows(components: Components, piece: NormalizedString, word: int, text: str) -> list[Row]:
    model = components.model
    # Unigram's unknown tokens keep the text they stand for.
    unk_id = getattr(model, "surface_unk_id", None)
    return [
        (
            id_,
            piece.text[start:end]
            if id_ == unk_id and model.is_surface(piece.text[start:end])  # type: ignore[attr-defined]
            else model.id_to_token(id_) or "",
            piece.original_range(start, end) if start >= 0 else _stray_range(text, ~start, ~end),
            word,
        )
        for id_, start, end in model.tokenize_with_offsets(piece.text)
    ]


def _stray_range(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the characters that tokenizers reports for bytes past the end of their piece.

    It then takes bytes of the piece for bytes of the whole text
    (`into_encoding` and `BytesToCharOffsetConverter` in pre_tokenizer.rs).
    """
    places = [at for at, char in enumerate(text) for _ in char.encode()]
    if start >= len(places):
        return start, end
    if end < len(places):
        return places[start], places[end]
    return places[start], (places[end - 1] if end <= len(places) else places[start] + 1) + 1


def _in_original(part: NormalizedString, skip: Skip) -> Skip:
    """Return `skip` for matches in a normalized part, told where they lie in the original text."""

    def skips(start: int, end: int, token: AddedToken) -> bool:
        return skip(*part.slice(start, end).offsets(), token)

    return skips
