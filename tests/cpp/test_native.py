"""The C++ reader gives what Python gives, refuses what it cannot follow, and survives damaged files."""

import contextlib
import random
import struct
import subprocess
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import spm
from tests.cpp import random_specs
from tests.cpp.native import SANITIZED, SOURCES, STRICT, Native, build, compiler
from tests.paths import ROOT
from tests.strategies import any_texts
from tokenizers_lite.byte_alphabet import CHARS
from tokenizers_lite.formats import compact as reader
from tokenizers_lite.spec import AddedToken, Config, Pattern, Spec, decoders, models, normalizers, pre_tokenizers
from tokenizers_lite.tokenizer import Tokenizer
from vocab_converters import compact

BUNDLED = ROOT / "tokenizers_lite" / "bundled"
RULES = {
    "a": "b",
    "ab": " ",
    "c": "",
    "か": "x  y",
    "é": "e\u0301",
    "\u0301": "",
    "👍": "<p>",
    "\u200d": "x",
    "\r\n": "a",
}
# One of each kind: NFC and a linked vocabulary, sentencepiece's child, WordPiece, bytes without tokens.
NAMES = ["qwen3", "phi3.5", "bge-small-en", "smollm2"]
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("cpp"))


@pytest.fixture(scope="module", params=NAMES)
def pair(request, program):
    path = BUNDLED / f"{request.param}.tokc"
    if not path.exists():
        pytest.skip(f"{path} is not there; scripts rebuild the bundled files")
    native = Native(program, path)
    yield native, Tokenizer(reader.read(str(path)))
    native.close()


def same(native, tokenizer, text, special=True, plain=False):
    want = tokenizer.encode(text, add_special_tokens=special, allowed_special=() if plain else "all")
    assert native.encode(text, special=special, plain=plain) == want
    for skip in (True, False):
        assert native.decode(want, skip) == tokenizer.decode(want, skip_special_tokens=skip)


@few
@given(any_texts(), st.booleans(), st.booleans())
def test_bundled_models_encode_and_decode_alike(pair, text, special, plain):
    same(*pair, text, special, plain)


@few
@given(st.lists(st.integers(-2, 152000), max_size=20), st.booleans())
def test_any_ids_decode_alike(pair, ids, skip):
    native, tokenizer = pair

    assert native.decode(ids, skip) == tokenizer.decode(ids, skip_special_tokens=skip)


@few
@given(st.binary(max_size=30))
def test_bytes_that_are_not_utf8_count_as_replacement_characters(pair, data):
    native, tokenizer = pair

    assert native.encode_bytes(data) == tokenizer.encode(data.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "text", ["a" * 5000, " " * 5000, "ab" * 3000, "e\u0301\u0323" * 800, "\u0301\u0323" * 2000, "▁" * 999]
)
def test_long_runs(pair, text):
    same(*pair, text)


FLAGS = st.builds(
    AddedToken,
    st.integers(40, 46),
    st.sampled_from(["a", "ab", " a", "b ", "  ", " ", "<s>", "é", "É", "\u3000", "aé", "▁a", "\u0301"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
SPELLED = decoders.Sequence(
    (decoders.Replace(Pattern("▁"), " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 2, 1))
)
SMALL = {
    "spelled": Spec(
        models.BPE(
            {text: at for at, text in enumerate(["<unk>", "a", "b", "▁", "é", "ab", "▁a", "<0xC3>", "<0x89>"])},
            (("▁", "a"), ("a", "b")),
            unk_token="<unk>",
            byte_fallback=True,
        ),
        normalizer=normalizers.Sequence((normalizers.Prepend("▁"), normalizers.Replace(Pattern(" "), "▁"))),
        decoder=SPELLED,
    ),
    "fused": Spec(
        models.BPE({"?": 0, "a": 1, "b": 2, "ab": 3}, (("a", "b"),), unk_token="?", fuse_unk=True),
        normalizer=normalizers.NFC(),
        pre_tokenizer=pre_tokenizers.Split(Pattern("b"), "MergedWithNext", False),
        decoder=decoders.Fuse(),
    ),
    "whole": Spec(
        models.BPE({"a": 0, "b": 1, "ab": 2, "aab": 3}, (("a", "b"),), ignore_merges=True),
        pre_tokenizer=pre_tokenizers.Split(Pattern(" "), "Contiguous", True),
    ),
    "bytes": Spec(
        models.BPE(
            {**{char: at for at, char in enumerate(CHARS[:200])}, "Ġa": 300, "Ãī": 301}, (("Ġ", "a"), ("Ã", "ī"))
        ),
        normalizer=normalizers.NFD(),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoder=decoders.ByteLevel(),
    ),
    "words": Spec(
        models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2, "##é": 3, "e": 4, "▁": 5}, max_input_chars_per_word=4),
        normalizer=normalizers.BertNormalizer(strip_accents=False),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
    ),
    "emptied": Spec(
        models.WordLevel({"?": 0, "a": 1, "ab": 2, "é": 3}, unk_token="?"),
        normalizer=normalizers.Sequence((normalizers.StripAccents(), normalizers.Lowercase(), normalizers.NFKC())),
        pre_tokenizer=pre_tokenizers.Sequence((pre_tokenizers.Whitespace(), pre_tokenizers.Digits(True))),
    ),
    "best path": Spec(
        models.Unigram(
            (
                ("<unk>", 0.0),
                ("▁", -2.0),
                ("a", -2.5),
                ("b", -2.5),
                ("ab", -4.0),
                ("▁a", -3.0),
                ("é", -9.0),
                ("a", -2.0),
            ),
            unk_id=0,
        ),
        normalizer=normalizers.Sequence((normalizers.Nmt(), normalizers.Replace(Pattern(" {2,}", True), " "))),
        pre_tokenizer=pre_tokenizers.Sequence((pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace())),
        decoder=decoders.Metaspace(),
    ),
    "affixes": Spec(
        models.BPE(
            {text: at for at, text in enumerate(["?", "a", "##b", "b", "##b</w>", "a</w>", "##a", "ab", "ab</w>"])},
            (("a", "##b"), ("a", "##b</w>")),
            unk_token="?",
            continuing_subword_prefix="##",
            end_of_word_suffix="</w>",
        ),
        pre_tokenizer=pre_tokenizers.CharDelimiterSplit(" "),
        decoder=decoders.WordPiece(),
    ),
    "spaced bytes": Spec(
        models.BPE({**{char: at for at, char in enumerate(CHARS)}, "Ġa": 300}, (("Ġ", "a"),)),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True),
        decoder=decoders.ByteLevel(),
    ),
    "metaspace": Spec(
        models.BPE({"a": 0, "▁": 1, "▁a": 2, "b": 3}, (("▁", "a"),)),
        pre_tokenizer=pre_tokenizers.Metaspace("▁", "first", True),
        decoder=decoders.Metaspace("▁", "first", True),
    ),
}


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_small_models_with_any_added_tokens(program, tmp_path_factory, name, data):
    added = {token.content: token for token in data.draw(st.lists(FLAGS, max_size=6))}
    tokenizer = Tokenizer(SMALL[name].replace(added_tokens=tuple(added.values()), config=Config(eos_token="a")))
    path = tmp_path_factory.mktemp("small") / "x.tokc"
    path.write_bytes(compact.dumps(tokenizer.spec))
    fragments = ["a", "b", " ", "  ", "é", "É", "e\u0301", "<s>", "\u3000", "中", "ab", "▁", ".", "\n", "_"]
    with contextlib.closing(Native(program, path)) as native:
        for _ in range(6):
            text = "".join(data.draw(st.lists(st.sampled_from(fragments), max_size=14)))
            same(native, tokenizer, text, plain=data.draw(st.booleans()))


@pytest.mark.parametrize("seed", range(60))
def test_random_tokenizers_are_refused_or_followed(program, tmp_path, seed):
    random_specs.compare(random.Random(seed), program, tmp_path, n_texts=4)


@few
@given(st.data())
def test_character_maps_of_sentencepiece(program, tmp_path_factory, data):
    spec = Spec(
        models.WordLevel({"?": 0, "a": 1, "x": 2, "e": 3}, unk_token="?"),
        normalizer=normalizers.Precompiled(spm.compiled(RULES)),
        pre_tokenizer=pre_tokenizers.Split(Pattern("(?m).", True), "Isolated"),
    )
    tokenizer = Tokenizer(spec)
    path = tmp_path_factory.mktemp("map") / "x.tokc"
    path.write_bytes(compact.dumps(spec))
    parts = [*RULES, "👍🏽", "क्ष", "\u1100\u1161", "👩‍👩‍👧‍👦", "x"]
    with contextlib.closing(Native(program, path)) as native:
        for _ in range(10):
            same(native, tokenizer, "".join(data.draw(st.lists(st.sampled_from(parts), max_size=8))))


def _refusal(program, spec, tmp_path):
    path = tmp_path / "x.tokc"
    path.write_bytes(compact.dumps(spec))
    done = subprocess.run([program, path], capture_output=True, text=True)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        (Spec(models.Unigram((("a", 0.0),))), "Unigram without unk_id"),
        (Spec(models.WordLevel({"a": 0}, unk_token="?")), "unk_token"),
        (Spec(models.BPE({"a": 0}, (), dropout=0.1)), "dropout"),
        (Spec(models.BPE({"a": 0}, ()), normalizer=normalizers.Replace(Pattern("(?<=a)b", True), "")), "Replace"),
        (Spec(models.BPE({"a": 0}, ()), pre_tokenizer=pre_tokenizers.UnicodeScripts()), "UnicodeScripts"),
        (Spec(models.BPE({"a": 0}, ()), decoder=decoders.CTC()), "CTC"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_cannot_follow_is_refused_by_name(program, tmp_path, spec, named):
    assert named in _refusal(program, spec, tmp_path)


def _sealed(data: bytearray) -> bytes:
    """Return the file with its checksums made right, so that damage gets past them."""
    (count,) = struct.unpack_from("<I", data, 12)
    for at in range(32, 32 + 24 * count, 24):
        offset, size = struct.unpack_from("<QQ", data, at + 8)
        struct.pack_into("<I", data, at + 4, zlib.crc32(data[offset : offset + size]))
    struct.pack_into("<I", data, 24, zlib.crc32(data[32 : 32 + 24 * count]))
    return bytes(data)


def test_damaged_files_are_refused_or_work(tmp_path):
    fuzz = build(tmp_path, "fuzz.cpp", [*SANITIZED, "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"])
    rng = random.Random(4)
    files = []
    for name, spec in SMALL.items():
        whole = compact.dumps(spec.replace(added_tokens=(AddedToken(9, "<s>", special=True, rstrip=True),)), index=True)
        for number in range(120):
            data = bytearray(whole)
            for _ in range(rng.choice((1, 1, 2, 5))):
                data[rng.randrange(32, len(data))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
            files.append(tmp_path / f"{name}{number}")
            files[-1].write_bytes(data if number % 4 else data[: rng.randrange(len(data))])

    done = subprocess.run([fuzz, *files], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]


def test_a_changed_or_cut_file_is_refused(program, tmp_path):
    data = compact.dumps(SMALL["spelled"])
    for changed in (data[:-1], data[:40], b"", b"PK" + data[2:], data[:200] + bytes((data[200] ^ 1,)) + data[201:]):
        path = tmp_path / "x.tokc"
        path.write_bytes(changed)
        done = subprocess.run([program, path], capture_output=True, text=True)
        assert (done.returncode, bool(done.stderr)) == (1, True)


def test_the_header_is_c_and_the_tables_are_current(tmp_path):
    from vocab_converters.cpp import generate_tables

    subprocess.run(
        [compiler(), "-x", "c", "-std=c11", *STRICT[1:4], "-fsyntax-only", SOURCES / "tokenizers_lite.hpp"], check=True
    )
    source = SOURCES.joinpath("tokenizers_lite.cpp").read_text("utf-8")
    for name, table in generate_tables.RANGES.items():
        assert generate_tables.array(name, generate_tables.ranges(generate_tables._unicode.ranges(table))) in source
