"""What is listed as a known divergence still diverges; what no longer does must leave the list."""

import json

import pytest

tk = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

from fuzz import known, laws  # noqa: E402
from tokenizers_lite import errors  # noqa: E402
from tokenizers_lite.formats import hf_json  # noqa: E402
from tokenizers_lite.tokenizer import Tokenizer  # noqa: E402

MODEL = {"type": "WordLevel", "vocab": {"<unk>": 0, "a": 1}, "unk_token": "<unk>"}
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
pytestmark = pytest.mark.skipif(laws.tokenizers.__version__ != laws.PINNED, reason="not the pinned tokenizers")


def spec(**parts):
    return {"version": "1.0", "added_tokens": [], "model": MODEL, **parts}


def template(single):
    piece = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": single, "pair": [piece, piece], "special_tokens": {}}


def ours(made):
    return Tokenizer(hf_json.parse(json.dumps(made).encode()))


@pytest.mark.parametrize(
    "piece", [{"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "no", "type_id": 0}}]
)
def test_template(piece):
    made = spec(post_processor=template([piece]))
    theirs = tk.Tokenizer.from_str(json.dumps(made))

    with pytest.raises(BaseException, match=r"out of bounds|no entry"):
        theirs.encode("a")
    with pytest.raises(errors.SpecError) as refusal:
        ours(made)
    assert known.known(str(refusal.value)) == "template"


def test_max_length():
    bert = {"type": "BertProcessing", "sep": ["b", 2], "cls": ["c", 3]}
    made = spec(post_processor=bert, pre_tokenizer={"type": "WhitespaceSplit"})
    theirs, mine = tk.Tokenizer.from_str(json.dumps(made)), ours(made)
    theirs.enable_truncation(1)

    from tokenizers_lite.spec import Truncation

    assert len(theirs.encode("a a a").ids) == 5
    with pytest.raises(errors.TruncationError) as refusal:
        mine.encode_with_offsets("a a a", truncation=Truncation(1))
    assert known.known(str(refusal.value)) == "max_length"


def test_equal_added_tokens():
    tokens = [{"id": 2 + i, "content": text, **FLAGS} for i, text in enumerate(("AB", "Ab", "aB"))]
    made = spec(normalizer={"type": "Lowercase"}, added_tokens=tokens)

    found = {tuple(tk.Tokenizer.from_str(json.dumps(made)).encode("ab").ids) for _ in range(60)}

    assert found == {(2,), (3,), (4,)}
    assert tuple(ours(made).encode("ab")) == (4,)


def test_shared_id():
    holes = {**MODEL, "vocab": {"<unk>": 0, "a": 2}}
    tokens = [{"id": 7, "content": "new", **FLAGS}, {"id": 8, "content": "a", **FLAGS}]
    made = spec(model=holes, added_tokens=tokens)
    theirs, mine = tk.Tokenizer.from_str(json.dumps(made)), ours(made)

    assert theirs.token_to_id("new") == theirs.token_to_id("a") == 2
    assert "new" not in mine.vocab()
    assert theirs.encode("new").ids == mine.encode("new")


def test_shared_id_of_added_tokens():
    contents = [("x", False), ("THE", True), ("b", True)]
    tokens = [{"id": 4 + i, "content": text, **FLAGS, "normalized": n} for i, (text, n) in enumerate(contents)]
    made = spec(model={**MODEL, "vocab": {"<unk>": 0, "b": 3}}, added_tokens=tokens, normalizer={"type": "Lowercase"})
    subject, _ = laws.load(made)

    assert subject.shared == {3}
    assert subject.oracle.decode([3]) == "the"
    assert known.known(laws.check(subject, "decode", {"ids": [3]})) == "shared id"


def test_a_token_listed_twice():
    tokens = [{"id": 2, "content": "THE", **FLAGS}, {"id": 2, "content": "THE", **FLAGS, "normalized": False}]
    subject, _ = laws.load(spec(added_tokens=tokens, normalizer={"type": "Lowercase"}))

    assert subject.oracle.decode([2]) == "the"
    assert subject.ours.decode([2]) == "THE"
    assert known.known(laws.check(subject, "decode", {"ids": [2]})) == "shared id"


def test_the_list_is_what_is_tested():
    assert set(known.REASONS) == {"template", "max_length", "equal added tokens", "shared id"}
