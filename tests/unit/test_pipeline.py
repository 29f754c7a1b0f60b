"""Pipelines: cutting where no merge can cross changes no id, and no strategy differs from the plain one."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import shared_corpus, shared_vocab
from tests.reference import bpe as reference
from tests.strategies import texts
from tokenizers_lite import pipeline
from tokenizers_lite.byte_alphabet import CHARS
from tokenizers_lite.formats import read
from tokenizers_lite.pipeline import cutting
from tokenizers_lite.tokenizer import Tokenizer

LETTERS = "aé中国\U00020000"


@st.composite
def merges_over(draw, symbols):
    """Return random merges over symbols, products of earlier ones included."""
    tokens, merges = list(symbols), []
    for _ in range(draw(st.integers(0, 16))):
        pair = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if pair not in merges and len(pair[0] + pair[1]) < 9:
            merges.append(pair)
            tokens.append(pair[0] + pair[1])
    return list(draw(st.permutations(merges)))


pieces = st.text(st.sampled_from(LETTERS + "b\0"), min_size=1, max_size=24)


@given(merges_over(LETTERS), pieces)
def test_parts_of_characters_merge_as_the_whole(merges, piece):
    cuts = cutting.of_characters([*LETTERS, *(left + right for left, right in merges)])

    parts = cuts.parts(piece)

    assert "".join(parts) == piece
    assert list(chain.from_iterable(reference(list(part), merges) for part in parts)) == reference(list(piece), merges)


def as_latin(raw):
    return [chr(byte) for byte in raw]


@given(merges_over(as_latin(sorted(set(LETTERS.encode())))), pieces, st.sampled_from([(), (0xC3,), (0x61,)]))
def test_parts_of_bytes_merge_as_the_whole(merges, piece, fragile):
    tokens = [bytes([byte]) for byte in range(256) if byte not in fragile]
    tokens += [(left + right).encode("latin-1") for left, right in merges]
    merges = [pair for pair in merges if not set("".join(pair).encode("latin-1")) & set(fragile)]

    def spelled(text):
        return reference([char for char in as_latin(text.encode()) if ord(char) not in fragile], merges)

    parts = cutting.of_bytes(tokens, fragile).parts(piece)

    assert "".join(parts) == piece
    assert list(chain.from_iterable(map(spelled, parts))) == spelled(piece)


def test_half_characters_at_the_end_of_a_token_keep_their_neighbours():
    blank_and_lead = cutting.of_bytes(["é".encode() + b"\xe4"])
    tail_and_letter = cutting.of_bytes([b"\xad" + "é".encode()])
    both_halves = cutting.of_bytes([b"\xad\xe4\xb8"])

    assert blank_and_lead.parts("é中国é") == ["é中", "国", "é"]
    assert tail_and_letter.parts("é中é") == ["é", "中é"]
    assert both_halves.parts("中中国") == ["中中", "国"]


def test_bytes_of_tokens_in_the_alphabet():
    assert cutting.token_bytes(["Ġa", CHARS[255], "中b", "Ċ"]) == [b" a", b"\xff", b"\xffb", b"\n"]


@pytest.fixture(params=["qwen3", "llama-3.2-instruct", "llama2", "smollm2"])
def pair(request, monkeypatch):
    """Return (plain tokenizer, one that uses every fast means from the first character)."""
    pytest.importorskip("numpy", reason="bulk cutting needs it")
    from tokenizers_lite import bulk

    spec = SPECS.get(request.param) or SPECS.setdefault(
        request.param, read(str(shared_vocab(request.param) / "tokenizer.json"))
    )
    plain, fast = Tokenizer(spec), Tokenizer(spec)
    for name in ("_PATIENCE", "_IMPORT_PATIENCE"):
        monkeypatch.setattr(bulk, name, 0)
    monkeypatch.setattr(bulk, "_LENGTH", 2)
    monkeypatch.setattr(pipeline, "_PATIENCE", 0)
    fast._pipeline  # noqa: B018 - made under these thresholds
    fast.encode("中文字符 abc " * 9)
    monkeypatch.setattr(pipeline, "_PATIENCE", 1 << 60)
    if plain._pipeline._bulk is not None:
        plain._pipeline._bulk._off = True
    return plain, fast


SPECS = {}


def test_fast_means_change_no_id(pair):
    plain, fast = pair
    samples = [shared_corpus(name)[:20_000] for name in ("zh_fortunes_poems.txt", "code_python_js_html.txt", "hi.txt")]
    samples += [shared_corpus("unicode_all_bmp_sample.txt"), shared_corpus("emoji.txt")[:10_000]]

    for text in samples:
        for size in (1, 7, 255, 8192):
            for at in range(0, min(len(text), size * 100), size):
                part = text[at : at + size]
                assert fast.encode(part) == plain.encode(part), ascii(part)


def test_fast_means_change_no_id_of_adversarial_texts(pair):
    plain, fast = pair

    @given(texts())
    def check(text):
        assert fast.encode(text) == plain.encode(text)
        assert fast.encode(text * 5) == plain.encode(text * 5)

    check()
