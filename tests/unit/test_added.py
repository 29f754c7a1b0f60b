"""Added tokens are found where tokenizers finds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import leftmost_longest
from tokenizers_lite import added
from tokenizers_lite.added import AddedTokens, Matcher, split
from tokenizers_lite.spec import AddedToken

ALPHABET = "ab <|>\n\té\u2003"
contents = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=4)
tokens = st.lists(
    st.builds(
        AddedToken,
        id=st.just(0),
        content=contents,
        single_word=st.booleans(),
        lstrip=st.booleans(),
        rstrip=st.booleans(),
        normalized=st.booleans(),
        special=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda token: token.content,
)


@given(st.lists(contents, max_size=8, unique=True), st.text(st.sampled_from(ALPHABET), max_size=30))
def test_matches_are_leftmost_longest(needles, text):
    matcher = Matcher((needle, AddedToken(0, needle)) for needle in needles)

    assert [(start, end) for start, end, _ in matcher.find(text)] == leftmost_longest(text, needles)


@given(tokens, st.text(st.sampled_from(ALPHABET), max_size=16))
def test_parts_equal_tokenizers(found, text):
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    oracle = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[U]": 0}, unk_token="[U]"))
    ours = [token.replace(id=at + 1) for at, token in enumerate(found)]
    for token in ours:
        flags = {name: getattr(token, name) for name in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        oracle.add_tokens([tokenizers.AddedToken(token.content, **flags)])
    added = AddedTokens(ours, None)

    try:
        expected = oracle.encode(text)
    except BaseException as exc:  # a Rust panic on overlapping matches ("bad split"); ours goes on
        if "bad split" not in str(exc):
            raise
        split(text, added.raw)
        return

    mine = []
    for start, end, id_ in split(text, added.raw):
        inner = [(0, end - start, id_)] if id_ else split(text[start:end], added.normalized)
        mine += [(id_ or 0, (start + a, start + b)) for a, b, id_ in inner]
    assert mine == list(zip(expected.ids, expected.offsets, strict=True))


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("a", ["a", "a|\n"]),  # a longer candidate that reaches past the end
        ("<|im_end|", ["<|im_end|>", "<|"]),
    ],
)
def test_regressions(text, needles):
    matcher = Matcher((needle, AddedToken(0, needle)) for needle in needles)

    assert [(start, end) for start, end, _ in matcher.find(text)] == leftmost_longest(text, needles)


def test_many_tokens_stay_fast_to_build_and_find():
    matcher = Matcher((f"<unused{n}>", AddedToken(n, f"<unused{n}>")) for n in range(6000))

    assert [token.id for *_, token in matcher.find("<unused5><unused5999><unused6000>")] == [5, 5999]


@given(
    st.lists(st.text("ab<>\n", min_size=1, max_size=4), min_size=1, max_size=8, unique=True),
    st.lists(st.text("ab<>\n", max_size=12), max_size=4),
)
def test_one_pattern_of_all_tokens_cuts_as_the_search_does(contents, texts):
    tokens = [AddedToken(100 + at, content) for at, content in enumerate(contents)]
    for text in texts:
        plain, fast = (added.Matcher((token.content, token) for token in tokens) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(added, "_LONG", 0)
            fast._patience = 0
            found = added.parts(text, fast)

        assert found == [text[start:end] if id_ is None else id_ for start, end, id_ in added.split(text, plain)]


def test_the_pattern_of_many_tokens_stays_flat():
    contents = ["\n" * size for size in range(1, 32)] + [f"<unused{number}>" for number in range(6000)] + ["x" * 2000]

    pattern = added._whole_pattern(contents)

    assert pattern.split("a<unused59>\n\n\nb") == ["a", "<unused59>", "", "\n\n\n", "b"]
