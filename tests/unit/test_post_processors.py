"""Post-processors against tokenizers, over random specs, pairs and truncation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encodings import assert_same, ours
from tokenizers_lite import post_processors
from tokenizers_lite.encoding import Encoding, truncate_pair
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Truncation
from tokenizers_lite.spec import post_processors as specs

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

SPECIALS = (("[CLS]", (50,), ("[CLS]",)), ("[SEP]", (51,), ("[SEP]",)), ("many", (60, 61), ("[X]", "[Y]")))


def as_json(spec):
    """tokenizer.json's form of a spec."""
    kind = type(spec).__name__
    if kind == "Sequence":
        return {"type": kind, "processors": [as_json(part) for part in spec.processors]}
    if kind == "TemplateProcessing":
        return {
            "type": kind,
            "single": [template_json(piece) for piece in spec.single],
            "pair": [template_json(piece) for piece in spec.pair],
            "special_tokens": {n: {"id": n, "ids": ids, "tokens": tokens} for n, ids, tokens in spec.special_tokens},
        }
    return {"type": kind, **{name: getattr(spec, name) for name in spec._fields}}


def template_json(piece):
    return {"SpecialToken" if piece.special else "Sequence": {"id": piece.id, "type_id": piece.type_id}}


TYPE_IDS = st.integers(0, 3)
SPECIAL_PIECES = st.builds(specs.TemplatePiece, st.sampled_from([n for n, _, _ in SPECIALS]), st.just(True), TYPE_IDS)


def sequences(ids):
    return st.builds(specs.TemplatePiece, st.sampled_from(ids), st.just(False), TYPE_IDS)


TEMPLATES = st.builds(
    specs.TemplateProcessing,
    st.lists(SPECIAL_PIECES | sequences("A"), max_size=5).map(tuple),
    st.lists(SPECIAL_PIECES | sequences("AB"), max_size=5).map(tuple),
    st.just(SPECIALS),
)
SEP, CLS = st.just(("[SEP]", 51)), st.just(("[CLS]", 50))
OTHERS = (
    st.builds(specs.BertProcessing, SEP, CLS)
    | st.builds(specs.ByteLevel, st.booleans(), st.booleans(), st.booleans())
    | st.builds(specs.RobertaProcessing, SEP, CLS, st.booleans(), st.booleans())
)
# A template after another one gets a number of encodings that panics in the oracle.
CHAINS = st.builds(
    lambda before, template, after: specs.Sequence((*before, *template, *after)),
    st.lists(OTHERS, max_size=2),
    st.lists(TEMPLATES, max_size=1),
    st.lists(OTHERS, max_size=2),
)
PROCESSORS = st.none() | OTHERS | TEMPLATES | CHAINS
TEXTS = st.text(alphabet="aab \u3000\n é日", max_size=12)


def oracle(spec):
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = {character: number for number, character in enumerate(sorted(ByteLevel.alphabet()))}
    merges = [("Ġ", "Ġ"), ("Ġ", "a"), ("a", "Ġ"), ("ĠĠ", "a")]
    vocab.update({a + b: 300 + number for number, (a, b) in enumerate(merges)})
    tokenizer = tokenizers.Tokenizer(BPE(vocab, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    if spec is not None:
        data = json.loads(tokenizer.to_str())
        data["post_processor"] = as_json(spec)
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(data))
    return tokenizer


@given(PROCESSORS, TEXTS, st.none() | TEXTS, st.booleans(), st.none() | st.integers(3, 14))
def test_processing_equals_the_oracle(spec, text, other, add_special_tokens, max_length):
    raw = oracle(None)
    a = ours(raw.encode(text))
    b = None if other is None else ours(raw.encode(other), 1)
    theirs = oracle(spec)
    processor = post_processors.build(spec)

    added = processor.added_tokens(b is not None)
    assert theirs.num_special_tokens_to_add(b is not None) == added
    if max_length is not None and max_length > added:
        theirs.enable_truncation(max_length)
        a, b = truncate_pair(a, b, Truncation(max_length), added if add_special_tokens else 0)
    mine = processor.process(a, b, add_special_tokens)

    inputs = (text,) if other is None else (text, other)
    assert_same(mine, theirs.encode(*inputs, add_special_tokens=add_special_tokens))


@given(PROCESSORS, TEXTS)
def test_the_frame_is_the_ids_only_form_of_a_single_input(spec, text):
    raw = oracle(None).encode(text)
    processor = post_processors.build(spec)
    mine = processor.process(ours(raw))
    frame = processor.frame
    if frame is not None:
        before, after = frame
        assert mine.ids == (*before, *raw.ids, *after)


def test_a_frame_is_found_where_the_template_has_one_sequence():
    def template(*pieces):
        return post_processors.build(specs.TemplateProcessing(pieces, (), SPECIALS))

    a = specs.TemplatePiece("A", False)
    cls, many = specs.TemplatePiece("[CLS]", True), specs.TemplatePiece("many", True)

    assert template(cls, a, many).frame == ((50,), (60, 61))
    assert template(a).frame == ((), ())
    assert template(a, a).frame is None
    assert template(cls).frame is None


def test_processors_after_an_empty_template_have_nothing_to_frame():
    empty = specs.TemplateProcessing((), ())
    for after in (specs.BertProcessing(("[SEP]", 51), ("[CLS]", 50)), specs.RobertaProcessing(("s", 1), ("c", 2))):
        processor = post_processors.build(specs.Sequence((empty, after)))
        assert processor.process(Encoding.of([1], ["a"], [(0, 1)], [0])) == Encoding()


@pytest.mark.parametrize(
    "spec",
    [
        specs.TemplateProcessing((specs.TemplatePiece("B", False),), ()),
        specs.TemplateProcessing((specs.TemplatePiece("[NO]", True),), ()),
        specs.TemplateProcessing((specs.TemplatePiece("x", True),), (), (("x", (1, 2), ("x",)),)),
        specs.PostProcessor(),
    ],
)
def test_inconsistent_specs_are_refused(spec):
    with pytest.raises(SpecError):
        post_processors.build(spec)


def test_a_template_after_a_template_names_the_cure():
    template = specs.TemplateProcessing(
        (specs.TemplatePiece("[CLS]", True), specs.TemplatePiece("A", False), specs.TemplatePiece("[SEP]", True)),
        (),
        SPECIALS,
    )
    processor = post_processors.build(specs.Sequence((template, template)))
    with pytest.raises(SpecError, match="put it first"):
        processor.process(Encoding.of([1], ["a"], [(0, 1)], [0]))
