"""Post-processors: one or two encodings -> one encoding with special tokens.

A processor takes and gives a list of encodings, which are joined at the end:
processors in a Sequence see what the ones before them made, special tokens
included. Semantics of tokenizers 0.23.3 (src/processors/*.rs).
"""

from __future__ import annotations

from tokenizers_lite.encoding import Encoding, merge
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import post_processors as specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Frame = tuple[tuple[int, ...], tuple[int, ...]]

# char::is_whitespace of Rust, which unlike str.isspace leaves out U+001C-001F,
# and the byte alphabet's blank.
_BLANK = frozenset(
    "Ġ\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)

_MARKER = -1  # no id


class PostProcessor:
    """Arranges encodings and special tokens."""

    def added_tokens(self, is_pair: bool) -> int:
        """Return how many tokens are added to one input or to a pair."""
        raise NotImplementedError

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """Process a list of encodings; what comes out is still to be joined."""
        raise NotImplementedError

    def process(self, a: Encoding, b: Encoding | None = None, add_special_tokens: bool = True) -> Encoding:
        """Process one or two encodings into one."""
        return merge(self.process_all(_numbered(a, b), add_special_tokens))

    @property
    def frame(self) -> Frame | None:
        """The ids put before and after a single input, None if it does not come out once, or not alone without them.

        Processors add what they add without looking at the tokens, so one
        marker in the place of all tokens shows it.
        """
        text = Encoding.of((_MARKER,), ("",), ((0, 0),), (None,))
        ids = self.process(text).ids
        if ids.count(_MARKER) != 1 or self.process(text, add_special_tokens=False).ids != (_MARKER,):
            return None
        at = ids.index(_MARKER)
        return ids[:at], ids[at + 1 :]


def _numbered(a: Encoding, b: Encoding | None) -> list[Encoding]:
    """Mark whose tokens are whose, in the encodings and in what overflowed from them."""
    encodings = []
    for number, encoding in enumerate([a] if b is None else [a, b]):
        overflowing = tuple(part.in_sequence(number) for part in encoding.overflowing)
        encodings.append(encoding.in_sequence(number).with_type(number).replace(overflowing=overflowing))
    return encodings


class NoProcessing(PostProcessor):
    """Join the inputs; add nothing."""

    def added_tokens(self, is_pair: bool) -> int:  # noqa: ARG002
        """Return 0."""
        return 0

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:  # noqa: ARG002
        """Return the encodings as they are."""
        return encodings

    def process(self, a: Encoding, b: Encoding | None = None, add_special_tokens: bool = True) -> Encoding:  # noqa: ARG002
        """Join a pair; unlike a processor, leave type ids and overflowing parts alone."""
        return a if b is None else merge([a.in_sequence(0), b.in_sequence(1)])


class ByteLevel(PostProcessor):
    """Trim white space from offsets; adds no token."""

    def __init__(self, spec: specs.ByteLevel) -> None:
        self._trim = spec.trim_offsets
        self._prefix_space = spec.add_prefix_space

    def added_tokens(self, is_pair: bool) -> int:  # noqa: ARG002
        """Return 0."""
        return 0

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:  # noqa: ARG002
        """Trim the offsets and number the encodings."""
        if self._trim:
            encodings = [_trim_offsets(encoding, self._prefix_space) for encoding in encodings]
        return [encoding.in_sequence(number) for number, encoding in enumerate(encodings)]


def _trim_offsets(encoding: Encoding, prefix_space: bool) -> Encoding:
    trimmed = tuple(
        _trimmed(index, token, span, prefix_space)
        for index, (token, span) in enumerate(zip(encoding.tokens, encoding.offsets, strict=True))
    )
    overflowing = tuple(_trim_offsets(part, prefix_space) for part in encoding.overflowing)
    return encoding.replace(offsets=trimmed, overflowing=overflowing)


def _trimmed(index: int, token: str, span: tuple[int, int], prefix_space: bool) -> tuple[int, int]:
    """Move a token's offsets past its blanks.

    One blank at the start of the text may be the one that add_prefix_space put
    there, so it takes no room (tokenizers, pre_tokenizers/byte_level.rs).
    """
    start, end = span
    leading = _count_blanks(token)
    trailing = _count_blanks(reversed(token))
    if leading:
        if prefix_space and leading == 1 and (index == 0 or start == 0):
            leading = 0
        start = min(start + leading, end)
    if trailing and end >= trailing:
        end = max(end - trailing, start)
    return start, end


def _count_blanks(characters: Any) -> int:
    count = 0
    for character in characters:
        if character not in _BLANK:
            break
        count += 1
    return count


def _framed(
    encoding: Encoding, before: Encoding, after: Encoding, number: int, types: tuple[int, ...] | None = None
) -> Encoding:
    """Put special tokens around an encoding and around each part that overflowed from it.

    The masks are rebuilt rather than kept, as Bert's and Roberta's processors do.
    """
    overflowing = tuple(_framed(part, before, after, number, types) for part in encoding.overflowing)
    body = encoding.replace(
        overflowing=(),
        special_tokens_mask=(0,) * len(encoding),
        attention_mask=(1,) * len(encoding),
        sequence_ranges=((number, 0, len(encoding)),),
    )
    framed = merge([before, body, after])
    if types is not None:
        framed = framed.replace(type_ids=types * len(framed))
    return framed.replace(overflowing=overflowing)


class BertProcessing(PostProcessor):
    """``[CLS] A [SEP]`` and ``[CLS] A [SEP] B [SEP]``."""

    def __init__(self, spec: specs.BertProcessing) -> None:
        (sep, sep_id), (cls, cls_id) = spec.sep, spec.cls
        self._cls = Encoding.special((cls_id,), (cls,))
        self._sep = Encoding.special((sep_id,), (sep,))

    def added_tokens(self, is_pair: bool) -> int:
        """Return 2, or 3 for a pair."""
        return 3 if is_pair else 2

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """Put the first encoding between CLS and SEP, and SEP after each other one."""
        if not add_special_tokens:
            return encodings
        nothing, last_sep = Encoding(), self._sep.with_type(1)
        return [
            *(_framed(first, self._cls, self._sep, 0) for first in encodings[:1]),
            *(_framed(other, nothing, last_sep, 1) for other in encodings[1:]),
        ]


class RobertaProcessing(PostProcessor):
    """``<s> A </s>`` and ``<s> A </s></s> B </s>``; type ids are all 0."""

    def __init__(self, spec: specs.RobertaProcessing) -> None:
        (sep, sep_id), (cls, cls_id) = spec.sep, spec.cls
        self._cls = Encoding.special((cls_id,), (cls,))
        self._sep = Encoding.special((sep_id,), (sep,))
        self._trim = spec.trim_offsets
        self._prefix_space = spec.add_prefix_space

    def added_tokens(self, is_pair: bool) -> int:
        """Return 2, or 4 for a pair."""
        return 4 if is_pair else 2

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """Trim the offsets, then put the encodings between special tokens."""
        if self._trim:
            encodings = [_trim_offsets(encoding, self._prefix_space) for encoding in encodings]
        encodings = [encoding.with_type(0) for encoding in encodings]
        if not add_special_tokens:
            return encodings
        return [
            *(_framed(first, self._cls, self._sep, 0, (0,)) for first in encodings[:1]),
            *(_framed(other, self._sep, self._sep, 1, (0,)) for other in encodings[1:]),
        ]


class TemplateProcessing(PostProcessor):
    """Arranges sequences and special tokens by template."""

    def __init__(self, spec: specs.TemplateProcessing) -> None:
        self._specials = {name: (ids, tokens) for name, ids, tokens in spec.special_tokens}
        self._single = self._checked(spec.single, "single", "A")
        self._pair = self._checked(spec.pair, "pair", "AB")

    def _checked(
        self, pieces: tuple[specs.TemplatePiece, ...], field: str, sequences: str
    ) -> tuple[specs.TemplatePiece, ...]:
        for number, piece in enumerate(pieces):
            where = f"post_processor.{field}[{number}]"
            if not piece.special:
                if piece.id not in tuple(sequences):
                    raise SpecError(f"template names a sequence that is none of {sequences}", field=where, value=piece)
                continue
            if piece.id not in self._specials:
                raise SpecError("template names a token that special_tokens lacks", field=where, value=piece.id)
            ids, tokens = self._specials[piece.id]
            if len(ids) != len(tokens):
                raise SpecError(
                    "a special token needs as many ids as tokens",
                    field=f"post_processor.special_tokens[{piece.id!r}]",
                    value=(ids, tokens),
                )
        return pieces

    def _ids(self, pieces: tuple[specs.TemplatePiece, ...]) -> tuple[int, ...]:
        return tuple(id_ for piece in pieces if piece.special for id_ in self._specials[piece.id][0])

    def added_tokens(self, is_pair: bool) -> int:
        """Return the number of special tokens in the template."""
        return len(self._ids(self._pair if is_pair else self._single))

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """Lay the encodings out by the template for one or for two of them."""
        if len(encodings) not in (1, 2):
            raise SpecError(
                f"TemplateProcessing takes one or two encodings but the processors before it made {len(encodings)}; "
                "put it first in the Sequence",
                field="post_processor.processors",
            )
        arranged = []
        for piece in self._pair if len(encodings) == 2 else self._single:
            if piece.special:
                if add_special_tokens:
                    arranged.append(Encoding.special(*self._specials[piece.id], piece.type_id))
            else:
                number = 0 if piece.id == "A" else 1
                arranged.append(encodings[number].with_type(piece.type_id).in_sequence(number))
        return arranged


class Sequence(PostProcessor):
    """Applies several processors in order."""

    def __init__(self, processors: tuple[PostProcessor, ...]) -> None:
        self._processors = processors

    def added_tokens(self, is_pair: bool) -> int:
        """Return the sum over the processors."""
        return sum(processor.added_tokens(is_pair) for processor in self._processors)

    def process_all(self, encodings: list[Encoding], add_special_tokens: bool) -> list[Encoding]:
        """Give what each processor makes to the next."""
        for processor in self._processors:
            encodings = processor.process_all(encodings, add_special_tokens)
        return encodings


def build(spec: specs.PostProcessor | None) -> PostProcessor:
    """Make the processor that a spec describes; None joins the inputs and adds nothing.

    Raises:
        SpecError: the component is unknown, or a template is inconsistent.
    """
    if spec is None:
        return NoProcessing()
    if isinstance(spec, specs.Sequence):
        return Sequence(tuple(build(part) for part in spec.processors))
    make = _BUILDERS.get(type(spec))
    if make is None:
        raise SpecError("unknown post-processor", field="post_processor", value=spec)
    return make(spec)


_BUILDERS: dict[type, Callable[[Any], PostProcessor]] = {
    specs.BertProcessing: BertProcessing,
    specs.ByteLevel: ByteLevel,
    specs.RobertaProcessing: RobertaProcessing,
    specs.TemplateProcessing: TemplateProcessing,
}
