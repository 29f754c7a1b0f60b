"""read(write(spec)) == spec, for specs of all shapes the formats hold: random merges, holes, added tokens."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenizers_lite.byte_alphabet import to_alphabet
from tokenizers_lite.formats import hf_json
from tokenizers_lite.spec import AddedToken, Config, Pattern, Spec, decoders, models, normalizers, pre_tokenizers
from vocab_converters import emulate, mnn_text, mtok, mtok_reader, text_reader
from vocab_converters._facts import surroundings
from vocab_converters.emulate import MNN, NATIVE
from vocab_converters.emulate._base import ALPHABET
from vocab_converters.emulate._text import QWEN
from vocab_converters.mtok_reader import template
from vocab_converters.mtok_writer import Options, write_mtok
from vocab_converters.text_writer import write_text
from vocab_converters.tokenizer_json import to_plain, write_json

CONTENTS = st.text(st.sampled_from("<|>ab ▁é中\n"), min_size=2, max_size=5)


@st.composite
def byte_level(draw):
    """Byte-level BPE: merges of merges, ids with gaps, added tokens and a BOS."""
    tokens, merges = list(ALPHABET), []
    for _ in range(draw(st.integers(0, 8))):
        pair = tuple(draw(st.sampled_from([*"abcdĠ", *tokens[256:]])) for _ in range(2))
        if "".join(pair) not in tokens:
            merges.append(pair)
            tokens.append("".join(pair))
    ids = draw(st.lists(st.integers(256, 300), min_size=len(tokens) - 256, max_size=len(tokens) - 256, unique=True))
    vocab = {token: number for number, token in enumerate(tokens[:256])}
    vocab.update(zip(tokens[256:], sorted(ids), strict=True))
    contents = draw(st.lists(CONTENTS.filter(lambda text: to_alphabet(text) not in vocab), max_size=4, unique=True))
    added = tuple(
        AddedToken(301 + 2 * number, text, normalized=False, special=True) for number, text in enumerate(contents)
    )
    before = (added[0].id,) if added and draw(st.booleans()) else ()
    split = pre_tokenizers.Split(Pattern(QWEN, regex=True), "Isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    names = {token.id: token.content.encode() for token in added}
    return Spec(
        models.BPE(vocab, merges),
        added,
        pre_tokenizer=pre_tokenizers.Sequence((split, level)),
        post_processor=template(before, (), names.__getitem__),
        decoder=decoders.ByteLevel(),
        config=Config(stop_ids=tuple(token.id for token in added[:1])),
    )


@st.composite
def marked(draw):
    """SentencePiece-style BPE with byte fallback, with and without the ▁ in front."""
    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abc"]
    merges = []
    for _ in range(draw(st.integers(0, 8))):
        left = draw(st.sampled_from(["▁", *tokens[258:]]))
        right = draw(st.sampled_from([token for token in tokens[258:] if "▁" not in token]))
        if left + right not in tokens:
            merges.append((left, right))
            tokens.append(left + right)
    replace = normalizers.Replace(Pattern(" "), "▁")
    prepend = draw(st.booleans())
    steps = (normalizers.Prepend("▁"), replace)
    return Spec(
        models.BPE(
            {token: n for n, token in enumerate(tokens)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True
        ),
        normalizer=normalizers.Sequence(steps) if prepend else replace,
        decoder=decoders.Sequence((decoders.Replace(Pattern("▁"), " "), decoders.ByteFallback(), decoders.Fuse())),
    )


def told(spec, reader=MNN):
    record, losses = write_mtok(spec, Options(reader))
    assert [loss for loss in losses if loss.kind in ("ids", "text")] == []
    return mtok.parse(mtok.emit(record))


def assert_same_byte_level(again, spec):
    assert dict(again.model.vocab) == dict(spec.model.vocab)
    assert list(again.model.merges) == list(spec.model.merges)
    assert again.added_tokens == spec.added_tokens
    assert (again.pre_tokenizer, again.decoder) == (spec.pre_tokenizer, spec.decoder)
    assert (surroundings(again), again.config.stop_ids) == (surroundings(spec), spec.config.stop_ids)


@settings(max_examples=25)
@given(byte_level())
def test_byte_level_through_mtok(spec):
    assert_same_byte_level(mtok_reader.to_spec(told(spec)), spec)


@settings(max_examples=25)
@given(byte_level())
def test_byte_level_through_type_3(spec):
    record, _ = write_text(spec, 3, NATIVE)

    assert_same_byte_level(text_reader.to_spec(mnn_text.parse(mnn_text.emit(record))), spec)


@settings(max_examples=25)
@given(marked())
def test_marked_through_mtok(spec):
    again = mtok_reader.to_spec(told(spec))

    assert dict(again.model.vocab) == dict(spec.model.vocab)
    assert list(again.model.merges) == list(spec.model.merges)
    assert (again.normalizer, again.pre_tokenizer, again.decoder) == (spec.normalizer, None, spec.decoder)


@settings(max_examples=25)
@given(st.one_of(byte_level(), marked()))
def test_through_tokenizer_json(spec):
    again = hf_json.parse(write_json(spec)[0])

    assert again.added_tokens == spec.added_tokens
    assert {text: again.model.vocab[text] for text in spec.model.vocab} == dict(spec.model.vocab)
    spec = spec.replace(model=again.model)
    assert to_plain(again) == to_plain(spec)


@settings(max_examples=25)
@given(st.one_of(byte_level(), marked()), st.sampled_from([NATIVE, MNN]))
def test_a_file_written_from_what_was_read_is_the_same_file(spec, reader):
    first = told(spec, reader)

    second = told(mtok_reader.to_spec(first), reader)

    assert second.model == first.model
    assert (second.header, second.added, second.normalizer, second.pre_tokenizer) == (
        first.header,
        first.added,
        first.normalizer,
        first.pre_tokenizer,
    )
    assert emulate.build(second, reader).encode("a b<|a") == emulate.build(first, reader).encode("a b<|a")
