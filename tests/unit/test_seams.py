"""Texts cut at seams have the ids of the whole; what is known to have none is left whole."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenizers_lite
from tests.paths import SHARED
from tokenizers_lite import AddedToken
from tokenizers_lite._automaton_build import build
from tokenizers_lite._boundaries import foresight
from tokenizers_lite.seams import Seams

VOCAB = SHARED / "vocab"
MODELS = ["qwen3", "smollm2", "phi3.5", "bge-small-en"]
MODELS += [name for name in ("gemma-3", "deepseek-v3", "llama2") if (VOCAB / name).is_dir()]
FRAGMENTS = [
    *(
        "\n",
        "\n\n",
        " ",
        "  ",
        "\r\n",
        "\t",
        "a",
        "word",
        " word",
        "'s",
        "123",
        "4 5",
        "。",
        "中文",
        "字",
        "é",
        "e\u0301",
    ),
    *(
        "\u0301",
        "\u3099",
        "か",
        "ガ",
        "привет",
        "😀",
        "\u200d",
        "\u00a0",
        "\u2028",
        "हि",
        "한국",
        "ᄀ",
        "ᅡ",
        "İ",
        "ﬁ",
        "\0",
        "\x1c",
    ),
    *(
        "<s>",
        "</s>",
        "<|im_end|>",
        "<|im_",
        "<|endoftext|>",
        "<bos>",
        "<table>",
        "▁",
        "[MASK]",
        " [SEP]",
        "<|assistant|>",
    ),
    *("!", "...", "def f(x):\n    return x\n", "Hello, world. "),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=120).map("".join)


@pytest.fixture(scope="module", params=MODELS)
def tokenizer(request):
    folder = VOCAB / request.param
    return tokenizers_lite.load(str(folder) if folder.is_dir() else request.param)


@pytest.fixture(scope="module")
def seams(tokenizer):
    """Return the seams by the special tokens allowed; making them takes a while for large vocabularies."""
    return {"all": Seams(tokenizer), (): Seams(tokenizer, lambda _start, _end, token: token.special)}


def by_parts(seams, text, rng):
    """Encode a text that becomes known bit by bit, cut at every seam that shows."""
    ids, held, goes_on, cuts = [], "", False, 0
    at = 0
    while at < len(text):
        size = rng.choice((1, 3, 10, 50, 300))
        held += text[at : at + size]
        at += size
        seam = seams.last(held, goes_on) if at < len(text) else 0
        if seam:
            ids += seams.encode(held[:seam], goes_on)
            held, goes_on = held[seam:], True
            cuts += 1
    return ids + (seams.encode(held, goes_on) if held else []), cuts


@given(TEXTS, st.randoms(use_true_random=False), st.sampled_from(("all", ())))
def test_parts_have_the_ids_of_the_whole(tokenizer, seams, text, rng, allowed):
    ids, _ = by_parts(seams[allowed], text, rng)

    assert ids == tokenizer.encode(text, add_special_tokens=False, allowed_special=allowed)


def test_prose_has_many_seams(seams):
    text = "It was the best of times, it was the worst of times.\nIt was the age of wisdom. 我们都在奔向天堂。" * 40

    _, cuts = by_parts(seams["all"], text, random.Random(1))

    assert cuts > 20


@given(TEXTS, st.randoms(use_true_random=False))
def test_tokens_that_look_around_are_kept_whole(text, rng):
    looking = [
        AddedToken(0, "word", single_word=True),
        AddedToken(0, "[MASK]", lstrip=True, rstrip=True, normalized=False),
        AddedToken(0, "a\n"),
    ]
    tokenizer = tokenizers_lite.load("smollm2").with_tokens(looking)

    assert by_parts(Seams(tokenizer), text, rng)[0] == tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize(
    ("pattern", "idle", "steps"),
    [("a+", False, 0), ("abc|a", False, 1), ("a(?:b*c)?", True, 1), (r"\s*\n|\s", True, 1)],
)
def test_foresight(pattern, idle, steps):
    known = foresight(build(pattern))

    assert bool(known.idle) == idle
    assert known.steps <= steps + 1
