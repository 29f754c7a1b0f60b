"""Decoding: ids -> text or bytes, at once or as a stream."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokenizers_lite.components import Components
    from tokenizers_lite.stream import StreamDecoder

# transformers 4.57, tokenization_utils_base.py, `clean_up_tokenization`; the order matters.
_CLEAN_UP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def clean_up(text: str) -> str:
    """Drop blanks before punctuation and English contractions, as transformers does."""
    for blank, tidy in _CLEAN_UP:
        text = text.replace(blank, tidy)
    return text


class Decoding:
    """The way back from ids, with tables of what it has seen."""

    def __init__(self, components: Components) -> None:
        self._engine = components.engine
        self._plan = components.byte_plan if self._engine is None else None
        self._components = components
        self._pieces: dict[bool, _Pieces] = {}
        self._skipped: frozenset[int] | None = None

    def text(self, ids: Iterable[int], skip_special_tokens: bool) -> str:
        """Return the text of ids."""
        if self._engine is not None:
            return self._engine.decode(list(ids))
        plan = self._plan
        if plan is None or plan.first_differs:
            return self._components.decoder.decode(self._tokens(ids, skip_special_tokens))
        pieces = self._pieces.get(skip_special_tokens)
        if pieces is None:
            special = self._special(skip_special_tokens)
            pieces = self._pieces[skip_special_tokens] = _Pieces(self._components.token_of, plan.piece, special)
        piece = pieces.__getitem__
        ids = ids if isinstance(ids, list) else list(ids)
        return plan.text_of(b"".join(map(piece, ids)), lambda: filter(None, map(piece, ids)))

    def raw(self, ids: Iterable[int], skip_special_tokens: bool) -> bytes:
        """Return the bytes of ids before invalid UTF-8 is replaced."""
        if self._engine is not None:
            return self._engine.decode_bytes(list(ids))
        return self._components.decoder.decode_bytes(self._tokens(ids, skip_special_tokens))

    def stream(self, skip_special_tokens: bool) -> StreamDecoder:
        """Return a decoder that takes ids one by one."""
        if self._engine is not None:
            return self._engine.stream()  # type: ignore[return-value]
        from tokenizers_lite.stream import StreamDecoder

        skip = self._skipped_ids() if skip_special_tokens else frozenset()
        return StreamDecoder(self._components.token_of, self._components.decoder, skip)

    def _skipped_ids(self) -> frozenset[int]:
        if self._skipped is None:
            special = self._components.added.special_contents
            self._skipped = frozenset(id_ for id_, text in self._components.added.text_of.items() if text in special)
        return self._skipped

    def _special(self, skipped: bool) -> frozenset[str]:
        return self._components.added.special_contents if skipped else frozenset()

    def _tokens(self, ids: Iterable[int], skip_special_tokens: bool) -> list[str]:
        special = self._special(skip_special_tokens)
        found = map(self._components.token_of, ids)
        return [token for token in found if token is not None and token not in special]


class _Pieces(dict[int, bytes]):
    """Id -> the bytes it contributes to decoded text, looked up when missing; empty if it is left out."""

    def __init__(self, token: Callable[[int], str | None], piece: Callable[[str], bytes], skip: frozenset[str]) -> None:
        super().__init__()
        self._token = token
        self._piece = piece
        self._skip = skip

    def __missing__(self, id_: int) -> bytes:
        token = self._token(id_)
        if token is None:
            return b""  # not kept: there is no bound on ids that do not exist
        piece = self[id_] = b"" if token in self._skip else self._piece(token)
        return piece
