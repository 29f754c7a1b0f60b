"""Decoders against tokenizers, over random chains and tokens, whole and streamed."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tokenizers_lite import decoders
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Pattern
from tokenizers_lite.spec import decoders as specs

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

# Parts that mean something to some decoder, halves of them, and ordinary text.
MARKS = ["▁", "▁▁", "Ġ", "##", "#", "</w>", "</", "w>", "|", "<pad>", ".", "?", " n't", " do not", "'s", " ", "  "]
LETTERS = ["a", "ab", "hello", "é", "日本", "Ã", "©", "â", "Ń", "¢", "\u0301", "\ufffd", "\0", "👩\u200d👧", "\r\n"]
PARTS = st.sampled_from(MARKS) | st.sampled_from(LETTERS)
BYTE_TOKENS = st.integers(0, 255).map("<0x{:02X}>".format)
UTF8_BYTE_TOKENS = st.sampled_from("é日👧aß").map(lambda c: [f"<0x{byte:02X}>" for byte in c.encode()])
TOKENS = st.lists(
    st.lists(PARTS, max_size=4).map(lambda parts: ["".join(parts)])
    | BYTE_TOKENS.map(lambda token: [token])
    | UTF8_BYTE_TOKENS
    | st.sampled_from(["<0x+1>", "<0xe4>", "<0xé>", "<0x-1>", "<0x4G>", "<0x41", "a<0x41>", ""]).map(lambda t: [t]),
    max_size=9,
).map(lambda lists: [token for tokens in lists for token in tokens])

CHARACTERS = st.sampled_from(" ▁aHĠ")
REGEXES = st.sampled_from([r"\s+", "a*", "(a)(b)", "^▁", r"\p{L}|\d", "|a"]).map(lambda text: Pattern(text, regex=True))
LITERALS = st.sampled_from(["▁", " ", "ab", "</w>", "aa", "", "\ufffd", "hello"]).map(Pattern)
STEPS = (
    st.builds(specs.BPEDecoder, st.sampled_from(["</w>", "", "b", " "]))
    | st.just(specs.ByteFallback())
    | st.just(specs.ByteLevel())
    | st.builds(specs.CTC, st.sampled_from(["<pad>", "a", ""]), st.sampled_from(["|", ""]), st.booleans())
    | st.just(specs.Fuse())
    | st.builds(specs.Metaspace, CHARACTERS, st.sampled_from(["always", "first", "never"]), st.booleans())
    | st.builds(specs.Replace, LITERALS | REGEXES, st.sampled_from(["", " ", "$1", "▁x", "ab"]))
    | st.builds(specs.Strip, CHARACTERS, st.integers(0, 3), st.integers(0, 3))
    | st.builds(specs.WordPiece, st.sampled_from(["##", "", "a"]), st.booleans())
)
LLAMA = specs.Sequence((specs.Replace(Pattern("▁"), " "), specs.ByteFallback(), specs.Fuse(), specs.Strip(" ", 1, 0)))
CHAINS = (
    st.none()
    | STEPS
    | st.just(LLAMA)
    | st.lists(STEPS, max_size=4).map(lambda steps: specs.Sequence(tuple(steps)))
    | st.builds(lambda a, b: specs.Sequence((a, specs.Sequence((b, specs.Fuse())))), STEPS, STEPS)
)


def as_json(spec):
    """tokenizer.json's form of a spec."""
    kind = type(spec).__name__
    if kind == "Sequence":
        return {"type": kind, "decoders": [as_json(part) for part in spec.decoders]}
    fields = {name: getattr(spec, name) for name in spec._fields}
    if kind == "Replace":
        fields["pattern"] = {"Regex" if spec.pattern.regex else "String": spec.pattern.text}
    return {"type": kind, **fields}


def oracle(spec, tokens):
    """What tokenizers decodes; None where it panics."""
    if spec is None:
        return " ".join(tokens)
    model = {"type": "WordLevel", "vocab": {}, "unk_token": ""}
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps({"version": "1.0", "model": model, "decoder": as_json(spec)}))
    try:
        return tokenizer.decoder.decode(tokens)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def overstrips(spec, tokens):
    """Whether a Strip step with `stop` may meet a token shorter than it strips, where tokenizers 0.23.3 panics."""
    return "stop" in repr(spec) and oracle(spec, tokens) is None


@given(CHAINS, TOKENS)
@example(specs.ByteFallback(), ["<0xE6>", "<0x97>", "", "<0xA5>"])
@example(specs.ByteFallback(), ["<0xC3>", "<0xA9>", "<0xE4>"])
@example(specs.Replace(Pattern(""), "-"), ["", "ab"])
@example(specs.Replace(Pattern("(l)(e)", regex=True), "$1 $2"), ["le travail"])
@example(specs.Replace(Pattern("x*", regex=True), "-"), ["baxxc", ""])
@example(specs.BPEDecoder(""), ["ab", "cd"])
@example(specs.Metaspace(), ["▁▁a▁", "▁b"])
@example(specs.ByteLevel(), ["â", "Ń", "a", "日", "¢"])
def test_decoding_equals_the_oracle(spec, tokens):
    assume(not overstrips(spec, tokens))
    assert decoders.build(spec).decode(tokens) == oracle(spec, tokens)


@given(CHAINS, TOKENS)
@example(specs.Sequence((specs.Fuse(), specs.Replace(Pattern("aa"), "b"))), ["a", "a", "a"])
@example(specs.Sequence((specs.Fuse(), specs.Strip(" ", 1, 2))), [" ", " ", "", " ", "a", " "])
@example(specs.Sequence((specs.ByteLevel(), specs.Strip(" ", 0, 1))), ["Ġ", "Ġ", "a", "Ġ"])
@example(specs.BPEDecoder(), ["a</w>", ""])
def test_a_stream_equals_decoding(spec, tokens):
    decoder = decoders.build(spec)
    stream = decoder.stream()
    assert "".join(map(stream.push, tokens)) + stream.finish() == decoder.decode(tokens)


@given(CHAINS, TOKENS)
def test_a_plan_equals_decoding(spec, tokens):
    plan = decoders.byte_plan(spec)
    if plan is None:
        return
    pieces = [plan.piece(token, first=number == 0) for number, token in enumerate(tokens)]

    assert plan.text(pieces) == decoders.build(spec).decode(tokens)
    raw = plan.raw(pieces)
    assert raw == decoders.build(spec).decode_bytes(tokens)
    if "\ufffd" not in plan.text(pieces):
        assert raw.decode() == plan.text(pieces)
    if not plan.fallback_runs and not plan.strips:
        assert raw.decode("utf-8", "replace") == plan.text(pieces)
    if not plan.first_differs:
        assert pieces == [plan.piece(token) for token in tokens]


@given(st.binary(max_size=12))
def test_lossy_utf8_equals_the_oracle_byte_by_byte_and_at_once(data):
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    from tokenizers_lite.byte_alphabet import CHARS

    assert sorted(CHARS) == alphabet
    tokens = [CHARS[byte] for byte in data]
    spec = specs.ByteLevel()
    assert decoders.build(spec).decode(tokens) == oracle(spec, tokens)
    stream = decoders.build(spec).stream()
    assert "".join(map(stream.push, tokens)) + stream.finish() == oracle(spec, tokens)


@pytest.mark.parametrize(
    ("spec", "kind", "strips"),
    [
        (specs.ByteLevel(), "byte_level", 0),
        (LLAMA, "byte_fallback", 1),
        (specs.Sequence((specs.Replace(Pattern("▁"), " "), specs.ByteFallback(), specs.Fuse())), "byte_fallback", 0),
        (specs.WordPiece(), "text", 0),
        (None, "text", 0),
    ],
)
def test_common_decoders_have_a_plan(spec, kind, strips):
    plan = decoders.byte_plan(spec)
    assert (plan.kind, len(plan.strips)) == (kind, strips)


@pytest.mark.parametrize("spec", [specs.CTC(), specs.BPEDecoder()])
def test_decoders_that_look_around_have_no_plan(spec):
    assert decoders.byte_plan(spec) is None
    assert decoders.build(spec).decode_bytes(["日</w>"]).decode() == decoders.build(spec).decode(["日</w>"])


def test_bytes_before_they_are_made_text():
    llama = decoders.build(LLAMA)
    assert llama.decode_bytes(["▁a", "<0xE6>", "<0x97>"]) == b"a\xe6\x97"
    assert llama.decode(["▁a", "<0xE6>", "<0x97>"]) == "a\ufffd\ufffd"


def pushed(spec, *tokens):
    stream = decoders.build(spec).stream()
    return [*map(stream.push, tokens), stream.finish()]


def test_text_is_emitted_as_early_as_it_is_certain():
    assert pushed(specs.ByteLevel(), "a", "æ", "Ĺ", "¥", "Ġ") == ["a", "", "", "日", " ", ""]
    assert pushed(LLAMA, "▁a", "▁b") == ["a", " b", ""]
    assert pushed(LLAMA, "▁", "<0xFF>", "<0x41>", "b") == ["", "\ufffd", "\ufffd", "b", ""]
    assert pushed(LLAMA, "<0xE6>", "<0x97>", "<0xA5>", "b") == ["", "", "", "日b", ""]
    assert pushed(LLAMA, "<0xE6>", "b") == ["", "\ufffdb", ""]
    assert pushed(specs.BPEDecoder(), "he", "llo</w>", "w</w>") == ["he", "llo", " w", ""]
    assert pushed(specs.Sequence((specs.Fuse(), specs.Replace(Pattern("ab"), "-"))), "a", "b", "aa") == [
        "",
        "-",
        "a",
        "a",
    ]
    assert pushed(specs.WordPiece(), "a", "##b", "c") == ["a", "b", " c", ""]


@pytest.mark.parametrize("spec", [specs.Decoder(), specs.Strip("ab"), specs.Metaspace("")])
def test_specs_that_mean_nothing_are_refused(spec):
    with pytest.raises(SpecError):
        decoders.build(spec)
