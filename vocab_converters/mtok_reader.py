""".mtok -> Spec: what the file says, in tokenizer.json's terms.

The readers' own deviations (folded patterns, missing NFC) are not part of
the spec; `vocab_converters.emulate` has those.
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import (
    AddedToken,
    Config,
    Pattern,
    Spec,
    decoders,
    models,
    normalizers,
    post_processors,
    pre_tokenizers,
)
from vocab_converters._facts import MARKER
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, name
from vocab_converters._patterns import RUN_LIMIT, is_before_blanks
from vocab_converters.emulate import NATIVE, build
from vocab_converters.mtok import BpeModel, Mtok, UnigramModel, WordPieceModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BEHAVIOURS = {0: "Isolated", 2: "MergedWithPrevious"}


def to_spec(record: Mtok) -> Spec:
    """Translate a .mtok file.

    Raises:
        SpecError: a character table, which no component of tokenizer.json holds.
    """
    emulated = build(record, NATIVE)
    added = _added(record, emulated.decode_id)
    pre = _pre_tokenizer(record.pre_tokenizer)
    normalizer = _normalizer(record.normalizer)
    marking = _marking(record.pre_tokenizer)
    if marking is not None:  # blanks become markers after the cut; without the cut, before it
        normalizer, pre = _marker_form(normalizer, marking)
    tail = record.tail
    config = Config(
        bos_token=tail.bos or None,
        eos_token=tail.eos or None,
        stop_ids=record.header.stop,
        chat_templates={"default": tail.template} if tail.template else {},
        clean_up_tokenization_spaces=bool((tail.flags or 0) & 1),
    )
    return Spec(
        _model(record, {token.id for token in added}),
        tuple(added),
        normalizer,
        pre,
        template(*_around(record), emulated.decode_id),
        _decoder(record.decoder),
        config=config,
    )


def _added(record: Mtok, decode: Callable[[int], bytes]) -> list[AddedToken]:
    """Return listed specials and the added section, each id once."""
    found = {
        token.id: AddedToken(
            token.id, token.content, lstrip=token.lstrip, rstrip=token.rstrip, normalized=False, special=token.special
        )
        for token in record.added
    }
    for number in record.header.special:
        text = decode(number).decode("utf-8", "replace")
        if text and number not in found:
            found[number] = AddedToken(number, text, normalized=False, special=True)
    return [found[number] for number in sorted(found)]


def _around(record: Mtok) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids in front of a text and behind it."""
    before: list[int] = []
    after: list[int] = []
    part = before
    for op in record.tail.post_ops or ():
        if op.token is None:
            part = after
        elif op.token < 2**31:
            part.append(op.token)
    return (*before, *record.header.prefix), (*after, *(record.tail.old_post_ids or ()))


def template(
    before: tuple[int, ...], after: tuple[int, ...], decode: Callable[[int], bytes]
) -> post_processors.TemplateProcessing | None:
    """Return a post-processor that puts ids around a text, None if there are none."""
    if not before and not after:
        return None
    names = {number: decode(number).decode("utf-8", "replace") or f"id {number}" for number in (*before, *after)}
    piece = post_processors.TemplatePiece
    first = [piece(names[number], special=True) for number in before]
    last = [piece(names[number], special=True) for number in after]
    single = (*first, piece("A", special=False), *last)
    second = [part.replace(type_id=1) for part in (*first, piece("B", special=False), *last)]
    special = tuple((text, (number,), (text,)) for number, text in names.items())
    return post_processors.TemplateProcessing(single, (*single, *second), special)


def _model(record: Mtok, added: set[int]) -> models.Model:
    """Translate the model; entries that only name added tokens and holes are left out."""
    model = record.model
    if isinstance(model, BpeModel):
        texts = {number: text for text, number in model.vocab}
        merges = [(texts[left], texts[right]) for left, right, _ in sorted(model.merges, key=lambda merge: merge[2])]
        parts = {text for pair in merges for text in pair} | {left + right for left, right in merges}
        found: dict[str, int] = {}
        for text, number in model.vocab:
            if text in parts or len(text) == 1 or not (number in added or is_hole(text, number)):
                found.setdefault(text, number)  # as the readers' bisection does
        vocab = dict(sorted(found.items(), key=lambda entry: entry[1]))
        return models.BPE(vocab, merges, byte_fallback=model.byte_fallback)
    if isinstance(model, WordPieceModel):
        kept = {
            text: number
            for text, number in sorted(model.vocab, key=lambda entry: entry[1])
            if not is_hole(text, number)
        }
        return models.WordPiece(kept, model.unk, model.prefix, model.max_chars)
    assert isinstance(model, UnigramModel)
    pieces = sorted(model.vocab, key=lambda entry: entry[1])
    return models.Unigram([(text, score) for text, _, score in pieces], model.unk_id, model.byte_fallback)


def is_hole(text: str, number: int) -> bool:
    """Tell whether a token is the stand-in for an id without one."""
    return text.strip("<>") == f"|no_token_{number}|"


def _normalizer(node: Node) -> normalizers.Normalizer | None:
    """Translate a normalizer node."""
    kind, fields = name(NORMALIZERS, node), node.fields
    if kind in ("none", "identity") or (kind == "table" and not fields[0]):
        return None
    if kind == "prepend":
        return normalizers.Prepend(fields[0])
    if kind == "replace":
        return normalizers.Replace(Pattern(fields[0]), fields[1])
    if kind == "strip":
        return normalizers.Strip(bool(fields[0]), bool(fields[1]))
    if kind in ("bert", "bert-nfd"):
        clean, chinese, strip, lower = map(bool, fields[:4])
        return normalizers.BertNormalizer(clean, chinese, strip, lower)
    if kind == "sequence":
        children = [child for child in map(_normalizer, fields[0]) if child is not None]
        return normalizers.Sequence(tuple(children))
    raise SpecError("a character table has no counterpart in tokenizer.json", field="normalizer", value=kind)


def _pre_tokenizer(node: Node) -> pre_tokenizers.PreTokenizer | None:
    """Translate a pre-tokenizer node."""
    kind, fields = name(PRE_TOKENIZERS, node), node.fields
    if kind == "none":
        return None
    if kind == "byte-level":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=bool(fields[0]))
    if kind == "digits":
        return pre_tokenizers.Digits(bool(fields[0]))
    if kind == "metaspace":
        return pre_tokenizers.Metaspace(fields[0], "always" if fields[1] else "never", split=False)
    if kind == "split":
        text = fields[0].replace(f"{{1,{RUN_LIMIT}}}", "+")
        return pre_tokenizers.Split(Pattern(text, regex=True), BEHAVIOURS.get(fields[2], "Removed"), bool(fields[1]))
    if kind == "bert":
        return pre_tokenizers.BertPreTokenizer()
    children = [child for child in map(_pre_tokenizer, fields[0]) if child is not None]
    return pre_tokenizers.Sequence(tuple(children))


def _marking(node: Node) -> Node | None:
    """Return the Metaspace node of our own Split+Metaspace form, None for anything else."""
    if name(PRE_TOKENIZERS, node) != "sequence" or len(node.fields[0]) != 2:
        return None
    split, mark = node.fields[0]
    ours = name(PRE_TOKENIZERS, split) == "split" and is_before_blanks(split.fields[0])
    return mark if ours and name(PRE_TOKENIZERS, mark) == "metaspace" and mark.fields[0] == MARKER else None


def _marker_form(
    normalizer: normalizers.Normalizer | None, mark: Node
) -> tuple[normalizers.Normalizer | None, pre_tokenizers.PreTokenizer | None]:
    """Return the pipeline of which cutting before blanks is the faster equal."""
    if mark.fields[1]:
        return normalizer, pre_tokenizers.Metaspace(MARKER, "always", split=False)
    replace = normalizers.Replace(Pattern(" "), MARKER)
    if isinstance(normalizer, normalizers.Prepend) and normalizer.prepend == " ":
        return normalizers.Sequence((normalizers.Prepend(MARKER), replace)), None
    return (replace if normalizer is None else normalizers.Sequence((normalizer, replace))), None


def _decoder(node: Node) -> decoders.Decoder:
    """Translate a decoder node."""
    kind, fields = name(DECODERS, node), node.fields
    if kind == "byte-level":
        return decoders.ByteLevel()
    if kind == "byte-fallback":
        return decoders.ByteFallback()
    if kind == "metaspace":
        return decoders.Metaspace(fields[0], "always" if fields[1] else "never")
    if kind == "wordpiece":
        return decoders.WordPiece(fields[0], bool(fields[1]))
    if kind == "fuse":
        return decoders.Fuse()
    if kind == "replace":
        return decoders.Replace(Pattern(fields[0]), fields[1])
    if kind == "strip":
        return decoders.Strip(fields[0], fields[1], fields[2])
    return decoders.Sequence(tuple(map(_decoder, fields[0])))
