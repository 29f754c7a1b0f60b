"""The compact format: what is read equals what was written, and damage is named."""

import pickle
import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_bpe import vocabularies
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import compact
from tokenizers_lite.models.bpe import BPE
from tokenizers_lite.spec import (
    AddedToken,
    Config,
    Padding,
    Pattern,
    Source,
    SourceFile,
    Spec,
    Truncation,
    decoders,
    models,
    normalizers,
    post_processors,
    pre_tokenizers,
)
from vocab_converters import compact as writer

RICH = {
    "added_tokens": (AddedToken(7, "<s>", special=True), AddedToken(9, " x", lstrip=True, normalized=False)),
    "normalizer": normalizers.Sequence((normalizers.Prepend("▁"), normalizers.Replace(Pattern(" "), "▁"))),
    "pre_tokenizer": pre_tokenizers.Split(Pattern(r"\p{L}+", regex=True), "Removed", invert=True),
    "post_processor": post_processors.TemplateProcessing(
        (post_processors.TemplatePiece("<s>", special=True), post_processors.TemplatePiece("A", special=False)),
        (
            post_processors.TemplatePiece("A", special=False),
            post_processors.TemplatePiece("B", special=False, type_id=1),
        ),
        (("<s>", (7,), ("<s>",)),),
    ),
    "decoder": decoders.Sequence((decoders.ByteFallback(), decoders.Strip(" ", 1, 0))),
    "truncation": Truncation(5),
    "padding": Padding(fixed=4),
    "config": Config(bos_token="<s>", stop_ids=(1, 2), chat_templates={"default": "{{ x }}"}),
    "source": Source("memory", (SourceFile("a", 1, "ff"),), "MIT"),
}
OTHERS = [
    models.Unigram((("<unk>", 0.0), ("a", -1.5), ("", -2.0)), unk_id=0, byte_fallback=True),
    models.WordLevel({"a": 3, "[UNK]": 0}, "[UNK]"),
    models.WordPiece({"[UNK]": 0, "##a": 1}, max_input_chars_per_word=7),
    models.SentencePiece((("<unk>", 0.0, 2), ("▁a", -1.0, 1)), "bpe", unk_surface="?"),
    models.BPE({"a": 0, "b</w>": 1, "ab</w>": 2}, (("a", "b</w>"),), end_of_word_suffix="</w>"),
    models.BPE({"a": 0, "<0x41>": 1, "<0x41>a": 2}, (("<0x41>", "a"),), byte_fallback=True),
]


@pytest.mark.parametrize("model", OTHERS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("index", [True, False])
def test_every_model_and_field_comes_back(tmp_path, model, index):
    path = str(tmp_path / "x.tokc")
    spec = Spec(model, **RICH)

    writer.write(spec, path, index=index)

    assert compact.read(path) == spec
    assert pickle.loads(pickle.dumps(compact.read(path))) == spec


@given(vocabularies(), st.text("abcé中", max_size=40), st.booleans())
def test_bpe_from_a_compact_file_merges_alike(tmp_path_factory, vocabulary, piece, index):
    vocab, merges = vocabulary
    spec = Spec(models.BPE(vocab, tuple(merges)))
    path = str(tmp_path_factory.mktemp("compact") / "x.tokc")

    writer.write(spec, path, index=index)
    back = compact.read(path)

    assert back.model.vocab == vocab
    assert BPE(back.model).tokenize(piece) == BPE(spec.model).tokenize(piece)
    assert all(BPE(back.model).id_to_token(id_) == token for token, id_ in vocab.items())
    again = compact.read_bytes(writer.dumps(back))
    assert (list(again.model.merges), again.model.vocab) == (list(back.model.merges), vocab)


def test_a_token_that_its_own_merges_do_not_reach_never_appears(tmp_path):
    # "abc" is in the vocabulary and (a, bc) makes it, but (a, b) always comes first.
    spec = Spec(models.BPE({"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5}, (("a", "b"), ("b", "c"), ("a", "bc"))))
    path = str(tmp_path / "x.tokc")

    writer.write(spec, path)

    assert BPE(compact.read(path).model).tokenize("abc") == [3, 2] == BPE(spec.model).tokenize("abc")


def test_ids_with_holes_and_texts_outside_the_alphabet(tmp_path):
    from tokenizers_lite.byte_alphabet import CHARS

    vocab = {char: at for at, char in enumerate(CHARS)} | {"ab": 300, "<｜x｜>": 305}
    spec = Spec(
        models.BPE(vocab, (("a", "b"),)),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    )
    path = str(tmp_path / "x.tokc")

    writer.write(spec, path)
    back = compact.read(path).model.vocab

    assert (back["<｜x｜>"], back["ab"], len(back), back.token_of(301)) == (305, 300, 258, None)
    assert (back.get("zz"), "zz" in back, "Ġ" in back) == (None, False, True)


@pytest.fixture(scope="module")
def sample():
    vocab = {char: at for at, char in enumerate("abcdef")} | {"ab": 6, "cd": 7, "abcd": 8}
    return writer.dumps(Spec(models.BPE(vocab, (("a", "b"), ("c", "d"), ("ab", "cd"))), **RICH), index=True)


def test_damage_is_a_spec_error_wherever_it_is(sample):
    rng = random.Random(1)
    for _ in range(600):
        data = bytearray(sample)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        try:
            spec = compact.read_bytes(bytes(data))
            list(spec.model.merges)
        except SpecError:
            continue
        # Only padding and reserved bytes may change unnoticed.
        assert spec == compact.read_bytes(sample)


def test_lying_sections_behind_true_checksums_are_refused(sample):
    rng = random.Random(2)
    count = struct.unpack_from("<I", sample, 12)[0]
    for _ in range(600):
        data = bytearray(sample)
        row = 32 + 24 * rng.randrange(count)
        _, _, offset, size = struct.unpack_from("<4sIQQ", data, row)
        for _ in range(rng.randint(1, 4)):
            data[offset + rng.randrange(size)] = rng.randrange(256)
        struct.pack_into("<I", data, row + 4, zlib.crc32(data[offset : offset + size]))
        struct.pack_into("<I", data, 24, zlib.crc32(data[32 : 32 + 24 * count]))
        try:
            spec = compact.read_bytes(bytes(data))
            model = BPE(spec.model)
            model.tokenize("abcdef")
            [model.id_to_token(id_) for id_ in range(12)]
            list(spec.model.merges)
        except SpecError:
            continue


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: b"", "magic"),
        (lambda d: b"PK" + d[2:], "magic"),
        (lambda d: d.replace(b"\r\n", b"\n", 1), "magic"),
        (lambda d: d[:-1], "cut short"),
        (lambda d: d[:8] + b"\x09\0" + d[10:], "version"),
    ],
)
def test_messages_say_what_happened(sample, change, message):
    with pytest.raises(SpecError, match=message):
        compact.read_bytes(change(sample), "x.tokc")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.tokc"
    path.write_bytes(b"old")

    with pytest.raises(SpecError):
        writer.write(Spec(models.Model()), str(path))

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_may_share_a_vocabulary(tmp_path):
    model = models.BPE({"a": 0, "b": 1, "ab": 2}, (("a", "b"),))
    base, other = str(tmp_path / "base.tokc"), str(tmp_path / "other.tokc")
    writer.write(Spec(model), base)
    spec = Spec(model, **RICH)

    writer.write(spec, other, base=base)

    assert compact.read(other).model.vocab == model.vocab
    assert compact.read(other).config == spec.config
    assert set(compact.open_container(other).table) == {"SPEC", "LINK"}
    writer.write(Spec(models.BPE({"a": 0, "c": 1, "ac": 2}, (("a", "c"),))), base)
    with pytest.raises(SpecError, match="not the one"):
        compact.read(other)
    with pytest.raises(SpecError, match="another vocabulary"):
        writer.write(spec, other, base=base)
