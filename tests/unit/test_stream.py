"""StreamDecoder: the laws of streaming, whatever the ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite import decoders
from tokenizers_lite.byte_alphabet import CHARS
from tokenizers_lite.spec import Pattern
from tokenizers_lite.spec import decoders as specs
from tokenizers_lite.stream import StreamDecoder

VOCAB = [*CHARS, *(f"<0x{byte:02X}>" for byte in range(256)), "▁a", "▁", "Ġthe", "</w>", "##s", "日", "", "<s>", " "]
LLAMA = specs.Sequence((specs.Replace(Pattern("▁"), " "), specs.ByteFallback(), specs.Fuse(), specs.Strip(" ", 1, 0)))
DECODERS = [
    None,
    specs.ByteLevel(),
    LLAMA,
    specs.WordPiece(),
    specs.BPEDecoder(),
    specs.CTC(),
    specs.Metaspace(),
    specs.Sequence((specs.ByteLevel(), specs.Strip(" ", 1, 1), specs.WordPiece())),
]
TEXT_IDS = st.text("a é日👧", max_size=4).map(lambda text: list(text.encode()))
FALLBACK_IDS = TEXT_IDS.map(lambda ids: [256 + byte for byte in ids])
ONE_ID = (st.integers(0, len(VOCAB) - 1) | st.integers(-3, 10**12)).map(lambda id_: [id_])
IDS = st.lists(ONE_ID | TEXT_IDS | FALLBACK_IDS, max_size=8).map(lambda lists: [i for ids in lists for i in ids])


def id_to_token(id_):
    return VOCAB[id_] if 0 <= id_ < len(VOCAB) else None


@pytest.mark.parametrize("spec", DECODERS, ids=repr)
@given(IDS, st.frozensets(st.integers(0, len(VOCAB) - 1), max_size=40))
def test_all_text_together_equals_decoding(spec, ids, skip):
    decoder = decoders.build(spec)
    stream = StreamDecoder(id_to_token, decoder, skip)
    tokens = [id_to_token(id_) for id_ in ids if id_ not in skip]
    expected = decoder.decode([token for token in tokens if token is not None])

    assert "".join(map(stream.push, ids)) + stream.finish() == expected


@given(st.text(max_size=20), st.booleans())
def test_no_half_character_is_ever_shown(text, fallback):
    spec = LLAMA if fallback else specs.ByteLevel()
    stream = StreamDecoder(id_to_token, decoders.build(spec))
    shown = ""
    for byte in text.encode():
        shown += stream.push(256 + byte if fallback else byte)
        assert fallback or text.startswith(shown)
    assert shown + stream.finish() == (text[1:] if fallback and text[:1] == " " else text)


def test_a_finished_stream_starts_over():
    stream = StreamDecoder(id_to_token, decoders.build(LLAMA))
    first = stream.push(VOCAB.index("▁a")) + stream.finish()
    assert first == stream.push(VOCAB.index("▁a")) + stream.finish() == "a"
