"""Questions every writer asks of a Spec: which ids exist, what surrounds a text, of what kind it is."""

from __future__ import annotations

from tokenizers_lite._record import Record
from tokenizers_lite.byte_alphabet import to_alphabet
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import models, normalizers, post_processors, pre_tokenizers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tokenizers_lite.spec import AddedToken, Spec

MARKER = "▁"
MAX_HOLES = 1 << 16


class Loss(Record):
    """One thing of a spec that a file or its reader cannot do.

    Attributes:
        field: path in the spec ("normalizer", "model.ignore_merges").
        what: what is lost, in a sentence.
        remedy: what would avoid it, in a sentence.
        kind: "ids" changes ids of some text, "text" changes decoded text,
            "data" drops something beside the two (a chat template), "note" is
            a change of form that should change nothing.
    """

    field: str
    what: str
    remedy: str = ""
    kind: str = "ids"


def model_tokens(spec: Spec) -> list[tuple[str, int]]:
    """Return the model's tokens with their ids."""
    model = spec.model
    if isinstance(model, (models.BPE, models.WordPiece, models.WordLevel)):
        return list(model.vocab.items())
    if isinstance(model, (models.Unigram, models.SentencePiece)):
        return [
            (piece[0], number) for number, piece in enumerate(model.vocab if hasattr(model, "vocab") else model.pieces)
        ]
    raise SpecError("unknown model", field="model", value=type(model).__name__)


def id_table(spec: Spec) -> list[str | None]:
    """Return all token texts by id, added tokens included; None marks a hole.

    Raises:
        SpecError: ids so far apart that a dense file would be mostly holes.
    """
    tokens = model_tokens(spec)
    size = 1 + max([number for _, number in tokens] + [token.id for token in spec.added_tokens], default=-1)
    if size > len(tokens) + len(spec.added_tokens) + MAX_HOLES:
        raise SpecError("the ids are too sparse for a file whose ids are positions", field="model.vocab", value=size)
    table: list[str | None] = [None] * size
    for text, number in tokens:
        table[number] = text
    for token in spec.added_tokens:
        table[token.id] = token.content
    return table


def hole_name(number: int, taken: Mapping[str, int] | set[str]) -> str:
    """Return a token text for an id that no token has; one that no text and no merge yields."""
    name = f"<|no_token_{number}|>"
    while name in taken:
        name = f"<{name}>"
    return name


def surroundings(spec: Spec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that encoding one text puts in front of it and behind it."""
    before, after = _around(spec.post_processor)
    config = spec.config
    if config.add_bos and config.bos_token is not None:
        before = (token_id(spec, config.bos_token), *before)
    if config.add_eos and config.eos_token is not None:
        after = (*after, token_id(spec, config.eos_token))
    return before, after


def _around(post: post_processors.PostProcessor | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what a post-processor puts around a single text."""
    if isinstance(post, (post_processors.BertProcessing, post_processors.RobertaProcessing)):
        return (post.cls[1],), (post.sep[1],)
    if isinstance(post, post_processors.Sequence):
        before: tuple[int, ...] = ()
        after: tuple[int, ...] = ()
        for child in post.processors:
            first, last = _around(child)
            before, after = first + before, after + last
        return before, after
    if not isinstance(post, post_processors.TemplateProcessing):
        return (), ()
    ids = {name: numbers for name, numbers, _ in post.special_tokens}
    parts: list[list[int]] = [[], []]
    seen = 0
    for piece in post.single:
        if piece.special:
            parts[seen].extend(ids[piece.id])
        else:
            seen = 1
    return tuple(parts[0]), tuple(parts[1])


def token_id(spec: Spec, text: str) -> int:
    """Return a token's id; SpecError if there is none."""
    for token in spec.added_tokens:
        if token.content == text:
            return token.id
    model = spec.model
    if isinstance(model, (models.BPE, models.WordPiece, models.WordLevel)):
        found = model.vocab.get(text)
        if found is not None:
            return found
    for known, number in model_tokens(spec):
        if known == text:
            return number
    raise SpecError("a special token of the configuration is not in the vocabulary", field="config", value=text)


def stop_ids(spec: Spec) -> tuple[int, ...]:
    """Return the ids that end a generation."""
    if spec.config.stop_ids:
        return spec.config.stop_ids
    if spec.config.eos_token is not None:
        return (token_id(spec, spec.config.eos_token),)
    return ()


def flat_normalizers(node: normalizers.Normalizer | None) -> Iterator[normalizers.Normalizer]:
    """Yield the normalizers without their sequences."""
    if isinstance(node, normalizers.Sequence):
        for child in node.normalizers:
            yield from flat_normalizers(child)
    elif node is not None:
        yield node


def flat_pre_tokenizers(node: pre_tokenizers.PreTokenizer | None) -> Iterator[pre_tokenizers.PreTokenizer]:
    """Yield the pre-tokenizers without their sequences."""
    if isinstance(node, pre_tokenizers.Sequence):
        for child in node.pretokenizers:
            yield from flat_pre_tokenizers(child)
    elif node is not None:
        yield node


def is_byte_level(spec: Spec) -> bool:
    """Tell whether the model's tokens are written in the byte alphabet."""
    return any(isinstance(node, pre_tokenizers.ByteLevel) for node in flat_pre_tokenizers(spec.pre_tokenizer)) or any(
        isinstance(node, normalizers.ByteLevel) for node in flat_normalizers(spec.normalizer)
    )


class MarkerForm(Record):
    """How blanks become ▁ before a SentencePiece-style BPE.

    Attributes:
        prepend: each part of the text between added tokens begins with a ▁ of its own.
        unless_marked: only if it does not begin with one already.
        first_only: only at the start of the text.
        split: pieces are cut before every ▁.
    """

    prepend: bool
    unless_marked: bool = False
    first_only: bool = False
    split: bool = False


def marker_form(spec: Spec) -> MarkerForm | None:
    """Recognise the SentencePiece-style pipelines of tokenizer.json; None for all others."""
    model = spec.model
    if isinstance(model, models.SentencePiece):
        plain = model.escape_whitespaces and not model.treat_whitespace_as_suffix
        return MarkerForm(model.add_dummy_prefix) if plain else None
    if not isinstance(model, models.BPE):
        return None
    steps = list(flat_normalizers(spec.normalizer))
    pre = list(flat_pre_tokenizers(spec.pre_tokenizer))
    prepend = bool(steps) and isinstance(steps[0], normalizers.Prepend) and steps[0].prepend == MARKER
    if prepend:
        steps = steps[1:]
    if len(steps) == 1 and isinstance(steps[0], normalizers.Replace) and _is_marking(steps[0]):
        return MarkerForm(prepend) if all(_is_blank_split(node) for node in pre) else None
    if not steps and not prepend and len(pre) == 1 and isinstance(pre[0], pre_tokenizers.Metaspace):
        node = pre[0]
        if node.replacement == MARKER:
            scheme = node.prepend_scheme
            return MarkerForm(scheme != "never", True, scheme == "first", node.split)
    return None


def _is_marking(node: normalizers.Replace) -> bool:
    """Tell whether a Replace turns blanks into markers."""
    return node.content == MARKER and node.pattern.text == " "


def _is_blank_split(node: pre_tokenizers.PreTokenizer) -> bool:
    """Tell whether a node splits on blanks, of which none are left once they are markers."""
    return isinstance(node, pre_tokenizers.Split) and not node.invert and node.pattern.text == " "


_last_unreachable: list[tuple[models.BPE, list[str]]] = []


def unreachable(model: models.BPE) -> list[str]:
    """Return the tokens that `ignore_merges` finds and merging does not.

    Takes seconds for a large vocabulary, so the answer for the model asked
    about last is kept: choosing a target asks once for each.
    """
    if not _last_unreachable or _last_unreachable[0][0] is not model:
        _last_unreachable[:] = [(model, _unreachable(model))]
    return _last_unreachable[0][1]


def _unreachable(model: models.BPE) -> list[str]:
    """Merge every token's characters and return those that do not come out whole."""
    from vocab_converters.emulate._merge import merge

    ranks = {pair: rank for rank, pair in reversed(list(enumerate(model.merges)))}

    def lookup(left: str, right: str) -> tuple[float, str] | None:
        rank = ranks.get((left, right))
        return None if rank is None else (rank, left + right)

    return [token for token in model.vocab if len(token) > 1 and merge(list(token), lookup) != [token]]


def longest_first(tokens: Iterable[AddedToken]) -> list[AddedToken]:
    """Order added tokens so that the first that fits is the longest."""
    return sorted(tokens, key=lambda token: (-len(token.content.encode("utf-8", "surrogatepass")), token.id))


__all__ = ["MARKER", "Loss", "MarkerForm", "to_alphabet"]
