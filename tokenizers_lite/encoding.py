"""Encoding: the tokens of one input as parallel columns, and cutting, joining and padding them.

Everything here is a pure function from encodings to encodings. Semantics are
those of tokenizers 0.23.3 (src/tokenizer/encoding.rs, src/utils/truncation.rs,
src/utils/padding.rs) with offsets counted in characters.
"""

from __future__ import annotations

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError, TruncationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from tokenizers_lite.spec import Padding, Truncation

# The columns that hold one value per token.
_COLUMNS = ("ids", "type_ids", "tokens", "offsets", "word_ids", "special_tokens_mask", "attention_mask")


class Encoding(Record):
    """The tokens of one input, or of a pair, as parallel columns: equally long tuples, one value a token.

    >>> encoding = tokenizer.encode_with_offsets("naïve 中文")
    >>> list(zip(encoding.ids, encoding.tokens, encoding.offsets))[:2]
    [(3376, 'na', (0, 2)), (37572, 'Ã¯', (2, 3))]

    Attributes:
        ids: the token ids.
        type_ids: segments, as BERT's models take them: 0 for the first text, 1 for the second, in most templates.
        tokens: spelled as in the vocabulary.
        offsets: (start, end) in characters of the text the token comes from; (0, 0) for added special tokens.
        word_ids: which piece of the pre-tokenizer a token comes from, counted from 0; None for special tokens.
        special_tokens_mask: 1 for tokens that post-processing or padding added.
        attention_mask: 0 for padding.
        overflowing: what truncation cut off, as encodings of their own.
        sequence_ranges: (input, start, end) of the tokens that belong to each input.
    """

    ids: tuple[int, ...] = ()
    type_ids: tuple[int, ...] = ()
    tokens: tuple[str, ...] = ()
    offsets: tuple[tuple[int, int], ...] = ()
    word_ids: tuple[int | None, ...] = ()
    special_tokens_mask: tuple[int, ...] = ()
    attention_mask: tuple[int, ...] = ()
    overflowing: tuple[Encoding, ...] = ()
    sequence_ranges: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of(
        cls,
        ids: Sequence[int],
        tokens: Sequence[str],
        offsets: Sequence[tuple[int, int]],
        word_ids: Sequence[int | None],
        type_id: int = 0,
    ) -> Encoding:
        """Make the encoding of one input before any post-processing."""
        n = len(ids)
        return cls(
            tuple(ids), (type_id,) * n, tuple(tokens), tuple(offsets), tuple(word_ids), (0,) * n, (1,) * n, (), ()
        )

    @classmethod
    def special(cls, ids: Sequence[int], tokens: Sequence[str], type_id: int = 0) -> Encoding:
        """Make an encoding of special tokens, which belong to no input."""
        n = len(ids)
        return cls(tuple(ids), (type_id,) * n, tuple(tokens), ((0, 0),) * n, (None,) * n, (1,) * n, (1,) * n, (), ())

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_sequences(self) -> int:
        """How many inputs the encoding combines."""
        return len(self.sequence_ranges) or 1

    @property
    def sequence_ids(self) -> tuple[int | None, ...]:
        """For each token, the input it belongs to; None for special tokens and padding."""
        ids: list[int | None] = [None] * len(self)
        for sequence in range(self.n_sequences):
            start, end = self._range(sequence)
            ids[start:end] = [sequence] * (end - start)
        return tuple(ids)

    def _range(self, sequence: int) -> tuple[int, int]:
        for number, start, end in self.sequence_ranges:
            if number == sequence:
                return start, end
        return 0, len(self)

    def token_to_sequence(self, token: int) -> int | None:
        """Return the input (0 or 1) that the token at this position belongs to, None for special tokens and padding."""
        if not 0 <= token <= len(self):
            return None
        if not self.sequence_ranges:
            return 0
        return next((number for number, start, end in self.sequence_ranges if start <= token < end), None)

    def token_to_chars(self, token: int) -> tuple[int, int] | None:
        """Return the (start, end) in characters of the token at this position, None for special tokens and padding."""
        if not 0 <= token < len(self) or self.token_to_sequence(token) is None:
            return None
        return self.offsets[token]

    def token_to_word(self, token: int) -> int | None:
        """Return the word that the token at this position belongs to, None for special tokens and padding."""
        if not 0 <= token < len(self) or self.token_to_sequence(token) is None:
            return None
        return self.word_ids[token]

    def char_to_token(self, position: int, sequence: int = 0) -> int | None:
        """Return the position of the first token that covers a character of an input, None if none does.

        >>> tokenizer.encode_with_offsets("naïve 中文").char_to_token(2)
        1
        """
        first, last = self._range(sequence)
        for token in range(first, last):
            start, end = self.offsets[token]
            if start <= position < end:
                return token
        return None

    def char_to_word(self, position: int, sequence: int = 0) -> int | None:
        """Return the word that covers a character of an input, None if none does."""
        token = self.char_to_token(position, sequence)
        return None if token is None else self.token_to_word(token)

    def word_to_tokens(self, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """Return the (start, end) in tokens that a word of an input became, None if there is no such word."""
        first, last = self._range(sequence)
        found: list[int] = []
        for token in range(first, last):
            number = self.word_ids[token]
            if number is not None and number > word:  # word ids grow, so nothing can follow
                break
            if number == word:
                found.append(token)
        return (found[0], found[-1] + 1) if found else None

    def word_to_chars(self, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """Return the (start, end) in characters of a word of an input, None if there is no such word."""
        span = self.word_to_tokens(word, sequence)
        return None if span is None else (self.offsets[span[0]][0], self.offsets[span[1] - 1][1])

    def in_sequence(self, sequence: int) -> Encoding:
        """Return the encoding with all its tokens belonging to one input."""
        kept = tuple(r for r in self.sequence_ranges if r[0] != sequence)
        return self.replace(sequence_ranges=tuple(sorted((*kept, (sequence, 0, len(self))))))

    def with_type(self, type_id: int) -> Encoding:
        """Return the encoding with one type id for all its tokens."""
        return self.replace(type_ids=(type_id,) * len(self))


def merge(encodings: Iterable[Encoding]) -> Encoding:
    """Join encodings from left to right, combining what overflowed of each with the others."""
    merged = Encoding()
    for encoding in encodings:
        merged = _join(merged, encoding)
    return merged


def _join(a: Encoding, b: Encoding) -> Encoding:
    overflowing = []
    for cut in a.overflowing:
        overflowing.append(_join(cut, b))
        overflowing.extend(_join(cut, other) for other in b.overflowing)
    overflowing.extend(_join(a, other) for other in b.overflowing)
    ranges = {number: (start, end) for number, start, end in a.sequence_ranges}
    ranges.update({number: (start + len(a), end + len(a)) for number, start, end in b.sequence_ranges})
    numbered = tuple((number, *ranges[number]) for number in sorted(ranges))
    return Encoding(**_glued(a, b), overflowing=tuple(overflowing), sequence_ranges=numbered)


def _glued(a: Encoding, b: Encoding) -> dict[str, Any]:
    return {name: getattr(a, name) + getattr(b, name) for name in _COLUMNS}


def truncate(encoding: Encoding, max_length: int, stride: int = 0, direction: str = "Right") -> Encoding:
    """Cut to at most `max_length` tokens, keeping the rest as `overflowing`.

    Each overflowing part repeats `stride` tokens of the part before it.
    Direction "Right" cuts at the end, "Left" at the start.

    Raises:
        TruncationError: `stride` is not smaller than `max_length`, which could never advance.
    """
    n = len(encoding)
    if max_length >= n:
        return encoding
    if max_length == 0:
        return Encoding(overflowing=(encoding,))
    if stride >= max_length:
        raise TruncationError(
            f"cannot cut to {max_length} tokens with a stride of {stride}; use a stride below {max_length}"
        )
    step = max_length - stride
    spans = []
    if _is_left(direction):
        for stop in range(n, 0, -step):
            spans.append((max(stop - max_length, 0), stop))
            if stop <= max_length:
                break
    else:
        for start in range(0, n, step):
            spans.append((start, min(start + max_length, n)))
            if start + max_length >= n:
                break
    first, *rest = (_slice(encoding, start, stop) for start, stop in spans)
    return first.replace(overflowing=tuple(rest))


def _slice(encoding: Encoding, start: int, stop: int) -> Encoding:
    return Encoding(*(getattr(encoding, name)[start:stop] for name in _COLUMNS))


def truncate_pair(
    a: Encoding, b: Encoding | None, truncation: Truncation, n_added: int = 0
) -> tuple[Encoding, Encoding | None]:
    """Cut one or two encodings so that they fit `truncation.max_length` with `n_added` special tokens.

    Raises:
        TruncationError: the strategy names an input that is missing or too short,
            `max_length` leaves no room for the special tokens, or the stride is too long.
    """
    limit = truncation.max_length - n_added
    if limit < 0:
        raise TruncationError(
            f"max_length {truncation.max_length} is below the {n_added} special tokens that are added; "
            "raise max_length or pass add_special_tokens=False"
        )
    stride, direction = truncation.stride, truncation.direction
    if limit == 0:
        return truncate(a, 0, stride, direction), b and truncate(b, 0, stride, direction)
    excess = len(a) + (len(b) if b is not None else 0) - limit
    if excess <= 0:
        return a, b
    if truncation.strategy == "LongestFirst":
        if b is None:
            return truncate(a, limit, stride, direction), None
        keep_a, keep_b = _longest_first(len(a), len(b), limit)
        return truncate(a, keep_a, stride, direction), truncate(b, keep_b, stride, direction)
    if truncation.strategy == "OnlyFirst":
        return truncate(a, _shortened(a, excess, "first"), stride, direction), b
    if truncation.strategy == "OnlySecond":
        if b is None:
            raise TruncationError("strategy OnlySecond needs a pair; pass a second text or use OnlyFirst")
        return a, truncate(b, _shortened(b, excess, "second"), stride, direction)
    raise SpecError(
        "unknown truncation strategy; use LongestFirst, OnlyFirst or OnlySecond",
        field="truncation.strategy",
        value=truncation.strategy,
    )


def _longest_first(a: int, b: int, limit: int) -> tuple[int, int]:
    """Share `limit` tokens between two inputs, cutting the longer one first.

    >>> _longest_first(4, 8, 7), _longest_first(2, 8, 7)
    ((3, 4), (2, 5))
    """
    short, long = min(a, b), max(a, b)
    long = short if short > limit else max(short, limit - short)
    if short + long > limit:
        short = limit // 2
        long = short + limit % 2
    return (long, short) if a > b else (short, long)


def _shortened(encoding: Encoding, excess: int, which: str) -> int:
    if len(encoding) <= excess:
        raise TruncationError(
            f"the {which} input has {len(encoding)} tokens but {excess} must go; "
            "use strategy LongestFirst or raise max_length"
        )
    return len(encoding) - excess


def pad(encoding: Encoding, length: int, padding: Padding) -> Encoding:
    """Pad one encoding, and all that overflowed from it, to at least `length` tokens."""
    overflowing = tuple(pad(part, length, padding) for part in encoding.overflowing)
    encoding = encoding.replace(overflowing=overflowing)
    n = length - len(encoding)
    if n <= 0:
        return encoding
    fill = Encoding.special((padding.pad_id,) * n, (padding.pad_token,) * n, padding.pad_type_id)
    fill = fill.replace(attention_mask=(0,) * n)
    left = _is_left(padding.direction)
    columns = _glued(fill, encoding) if left else _glued(encoding, fill)
    shift = n if left else 0
    ranges = tuple((number, start + shift, end + shift) for number, start, end in encoding.sequence_ranges)
    return Encoding(**columns, overflowing=overflowing, sequence_ranges=ranges)


def pad_batch(encodings: Sequence[Encoding], padding: Padding) -> list[Encoding]:
    """Pad encodings to a common length: the fixed one, or that of the longest."""
    if not encodings:
        return []
    length = max(map(len, encodings)) if padding.fixed is None else padding.fixed
    multiple = padding.pad_to_multiple_of
    if multiple and length % multiple:
        length += multiple - length % multiple
    return [pad(encoding, length, padding) for encoding in encodings]


def _is_left(direction: str) -> bool:
    if direction not in ("Left", "Right"):
        raise SpecError("unknown direction; use Left or Right", field="direction", value=direction)
    return direction == "Left"
