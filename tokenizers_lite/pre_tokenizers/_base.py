"""What pre-tokenizers have in common: text -> pieces, with and without origins."""

from __future__ import annotations

from itertools import chain

from tokenizers_lite.patterns import ASCII, BMP, is_bmp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite.normalized import NormalizedString

MAX = 0x10FFFF


def limit_of(text: str) -> int:
    """Return the smallest of U+007F, U+FFFF and U+10FFFF that no character of a text exceeds."""
    if text.isascii():
        return ASCII
    return BMP if is_bmp(text) else MAX


class PreTokenizer:
    """Cuts and changes text.

    `by_origin` pre-tokenizers change pieces by where they start in the
    original. Without alignment they take the text for unchanged; after a
    normalizer that moves characters use `pre_tokenize_aligned`.
    """

    by_origin = False

    def pre_tokenize(self, text: str, first: bool) -> list[str]:
        """Return the pieces of a text, none empty; `first` says that it starts the whole original."""
        raise NotImplementedError

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:
        """Return the pieces of a text, none empty, each with its origin."""
        raise NotImplementedError


class Splitter(PreTokenizer):
    """A pre-tokenizer that only cuts: pieces are parts of the text."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pieces of a text start and end."""
        raise NotImplementedError

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        return self.cutter(limit_of(text))(text)

    def cutter(self, limit: int) -> Callable[[str], list[str]]:  # noqa: ARG002
        """Return `pieces` for texts without characters above a `limit_of`, as fast as can be."""
        return self._slices

    def _slices(self, text: str) -> list[str]:
        return [text[start:end] for start, end in self.spans(text)]

    def pre_tokenize(self, text: str, first: bool) -> list[str]:  # noqa: ARG002
        """Return the pieces of a text."""
        return self.pieces(text)

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:  # noqa: ARG002
        """Return the pieces of a text, each with its origin."""
        return [text.slice(start, end) for start, end in self.spans(text.text)]


class Whole(Splitter):
    """Cuts nothing."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the span of the whole text."""
        return [(0, len(text))] if text else []

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:  # noqa: ARG002
        """Return the text itself, which unlike a slice also stands for what was removed at its ends."""
        return [text] if text.text else []


class FixedLength(Splitter):
    """Cuts into pieces of a fixed number of characters."""

    def __init__(self, length: int) -> None:
        self._length = length

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the pieces; the last may be shorter."""
        size, step = len(text), self._length
        return [(start, min(start + step, size)) for start in range(0, size, step)]


class Sequence(PreTokenizer):
    """Applies pre-tokenizers in order, each to the pieces of the one before."""

    def __init__(self, parts: tuple[PreTokenizer, ...]) -> None:
        self._parts = parts
        self.by_origin = any(part.by_origin for part in parts)

    def pre_tokenize(self, text: str, first: bool) -> list[str]:
        """Return the pieces of a text."""
        if self.by_origin:
            from tokenizers_lite.normalized import NormalizedString

            aligned = NormalizedString.of(text, 0 if first else 1)
            return [piece.text for piece in self.pre_tokenize_aligned(aligned, first)]
        pieces = [text] if text else []
        for part in self._parts:
            if isinstance(part, Splitter):
                pieces = list(chain.from_iterable(map(part.pieces, pieces)))
            else:
                pieces = [after for piece in pieces for after in part.pre_tokenize(piece, first)]
        return pieces

    def pre_tokenize_aligned(self, text: NormalizedString, first: bool) -> list[NormalizedString]:  # noqa: ARG002
        """Return the pieces of a text, each with its origin."""
        pieces = [text] if text.text else []
        for part in self._parts:
            pieces = [after for piece in pieces for after in part.pre_tokenize_aligned(piece, piece.base == 0)]
        return pieces


class SplitterSequence(Splitter):
    """Applies splitters in order, each to the pieces of the one before."""

    def __init__(self, parts: tuple[Splitter, ...]) -> None:
        self._parts = parts

    def cutter(self, limit: int) -> Callable[[str], list[str]]:
        """Return `pieces` for texts up to a limit, which holds for the pieces of the pieces too."""
        cutters = [part.cutter(limit) for part in self._parts]

        def cut(text: str) -> list[str]:
            pieces = [text] if text else []
            for cutter in cutters:
                pieces = list(chain.from_iterable(map(cutter, pieces)))
            return pieces

        return cut

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the pieces of a text start and end."""
        spans = [(0, len(text))] if text else []
        for part in self._parts:
            spans = [(at + start, at + end) for at, stop in spans for start, end in part.spans(text[at:stop])]
        return spans
