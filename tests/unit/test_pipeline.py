"""Pipelines: cutting where no merge can cross changes no id, and no strategy differs from the plain one."""

import sys
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import shared_corpus, shared_vocab
from tests.reference import bpe as reference
from tests.strategies import texts
from tokenizers_lite import added, components, load, pipeline
from tokenizers_lite.byte_alphabet import CHARS, to_alphabet
from tokenizers_lite.formats import read
from tokenizers_lite.models.bpe import merge
from tokenizers_lite.pipeline import byte_cutting, cutting, spelling, together
from tokenizers_lite.pipeline.byte_cutting import BROKEN, HARD, SOFT, ByteCuts, token_bytes
from tokenizers_lite.pipeline.merges import Merges, NumpyMerges
from tokenizers_lite.pipeline.spelling import ByteSpeller
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
    cuts = cutting.of_characters("\0".join([*LETTERS, *(left + right for left, right in merges)]))

    parts = cuts.parts(piece)

    assert "".join(parts) == piece
    assert list(chain.from_iterable(reference(list(part), merges) for part in parts)) == reference(list(piece), merges)


def as_latin(raw):
    return [chr(byte) for byte in raw]


def byte_speller(merges, fragile=()):
    """Return (speller, plain BPE) of a model of bytes; a merge is a pair of Latin-1 strings."""
    ids = {chr(byte): byte for byte in range(256)}
    pairs = {}
    for left, right in merges:
        ids.setdefault(left + right, len(ids))
    for rank, (left, right) in enumerate(merges):
        pairs[ids[left] << 32 | ids[right]] = rank << 32 | ids[left + right]
    byte_ids = {byte: None if byte in fragile else byte for byte in range(256)}
    tokens = {id_: token.encode("latin-1") for token, id_ in ids.items() if id_ not in fragile}

    def merge_bytes(text):
        return merge([id_ for byte in text.encode() if (id_ := byte_ids[byte]) is not None], pairs)

    model = Pairs(pairs, len(ids))
    return ByteSpeller(ByteCuts(tokens, Merges(pairs), byte_ids), merge_bytes, model), merge_bytes


class Pairs:
    """What of a model merging needs."""

    def __init__(self, pairs, bound):
        self.pairs = pairs
        self.bound = lambda: bound

    def columns(self, np):
        return tuple(np.array(list(each), np.uint64) for each in (self.pairs, self.pairs.values()))


BYTES = as_latin(sorted(set(LETTERS.encode())))


@given(merges_over(BYTES), pieces, st.sampled_from([(), (0xC3,), (0x61,)]))
def test_parts_of_bytes_merge_as_the_whole(merges, piece, fragile):
    merges = [pair for pair in merges if not set("".join(pair).encode("latin-1")) & set(fragile)]
    speller, merge_bytes = byte_speller(merges, fragile)

    assert speller.spell(piece) == merge_bytes(piece)


@given(merges_over(BYTES), pieces)
def test_flags_of_numpy_cut_nothing_that_the_rule_does_not(merges, piece):
    np = pytest.importorskip("numpy", reason="bulk cutting needs it")
    from tokenizers_lite import bulk

    speller, merge_bytes = byte_speller(merges)
    table = bulk.Bulk(np, bulk.BytePairFlags(np, speller.cuts), speller.spell_part)
    texts = [piece.replace("\0", "b"), piece[::-1].replace("\0", "中") * 2]

    assert table.encode_each(texts) == list(map(merge_bytes, texts))


def latin(text):
    return text.encode().decode("latin-1")


def test_half_characters_at_the_end_of_a_token_keep_their_neighbours():
    # The lead byte of all these characters merges first with what stands before it.
    speller, _ = byte_speller([(latin("é")[0], latin("é")[1]), (latin("é"), "\xe4")])

    assert speller.cuts.marked("é中国é") == f"é{BROKEN}中{HARD}国{HARD}é"


def test_characters_that_become_one_token_first_are_cut_all_the_same():
    zhong, merges = latin("中"), [(latin("é")[0], latin("é")[1])]
    merges += [(zhong[0], zhong[1]), (zhong[:2], zhong[2]), (latin("é"), "\xe4")]
    speller, merge_bytes = byte_speller(merges)

    assert speller.cuts.marked("é中中é") == f"é{SOFT}中{HARD}中{HARD}é"
    assert speller.spell("é中中é") == merge_bytes("é中中é")


def test_bytes_of_tokens_in_the_alphabet():
    assert token_bytes(["Ġa", CHARS[255], "中b", "Ċ"]) == [b" a", b"\xff", b"\xffb", b"\n"]


@given(merges_over(BYTES), st.sets(st.integers(0, 255)), st.sets(st.integers(0, 270)))
def test_numpy_answers_as_the_plain_merges(merges, some, others):
    np = pytest.importorskip("numpy", reason="one side of the comparison")
    model = byte_speller(merges)[0]._model
    plain = Merges(model.pairs)
    size = max(model.bound(), 271)
    by_numpy = NumpyMerges(np, model.pairs, model.columns(np), size)

    ranks = plain.latest(others)
    assert by_numpy.latest(others) == ranks
    assert by_numpy.early(ranks) == plain.early(ranks)
    assert sorted(by_numpy.into(some, others)) == sorted(plain.into(some, others))


@given(st.lists(st.binary(max_size=8), min_size=1))
def test_numpy_finds_the_same_pairs(raws):
    np = pytest.importorskip("numpy", reason="one side of the comparison")
    text, between = byte_cutting.joined_tokens(raws)
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "numpy")
        plain = byte_cutting.joined_pairs(text, between)

    assert byte_cutting.joined_pairs_by(np, text, between) == plain


def test_what_stands_between_tokens_is_in_none_of_them():
    raws = [b"a", "\ufdd0".encode(), b"\xef\xb7", b"\x91b"]

    assert byte_cutting.joined_tokens(raws) == ("a\ufdd1\ufdd0\ufdd1\udcef\udcb7\ufdd1\udc91b", "\ufdd1")


def table_of(merges, ids):
    pairs = {}
    for rank, (left, right) in enumerate(merges):
        pairs[ids[left] << 32 | ids[right]] = rank << 32 | ids[left + right]
    return pairs


@given(
    merges_over(LETTERS), st.lists(pieces, min_size=1, max_size=30), st.sampled_from([0, 3]), st.sampled_from([1, 4096])
)
def test_words_merged_together_are_merged_as_each(merges, words, stragglers, at_once):
    np = pytest.importorskip("numpy", reason="merging together needs it")
    from tokenizers_lite.bulk import merging

    words = [word.translate(dict.fromkeys(map(ord, "\0\U00020000"), "b")) for word in words]
    symbols = dict.fromkeys([*LETTERS, *"".join(words), *(left + right for left, right in merges)])
    ids = {token: at for at, token in enumerate(symbols)}
    merger = merging.merger(np, Pairs(table_of(merges, ids), len(ids)), ids.get)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_STRAGGLERS", stragglers)
        patch.setattr(merging, "AT_ONCE", at_once)
        found = merger and merger.merge_each(words)

    assert found == ([[ids[token] for token in reference(list(word), merges)] for word in words] if merges else None)


@given(merges_over(LETTERS), st.lists(pieces, min_size=1, max_size=4), st.integers(1, 9), st.integers(1, 3))
def test_word_table_encodes_as_the_whole(merges, parts, window, few):
    np = pytest.importorskip("numpy", reason="bulk cutting needs it")
    from tokenizers_lite import bulk

    symbols = dict.fromkeys([*LETTERS, "b", *(left + right for left, right in merges)])
    ids = {token: at for at, token in enumerate(symbols)}

    def spell(word):
        return [ids[token] for token in reference(list(word), merges)]

    merger = bulk.merger(np, Pairs(table_of(merges, ids), len(ids)), ids.get)
    parts = [part.replace("\0", "b") for part in parts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk.table, "WINDOW", window)
        patch.setattr(bulk.table, "LONGEST", 3)
        patch.setattr(bulk.table, "WORDS", 5)
        patch.setattr(bulk.table, "FEW", few)
        table = bulk.Bulk(np, bulk.of_characters(np, "\0".join(ids)), spell, merger)
        found = table.encode([part] if at % 2 else 7 for at, part in enumerate(parts))
        each = table.encode_each(parts)

    assert found == list(chain.from_iterable(spell(part) if at % 2 else [7] for at, part in enumerate(parts)))
    assert each == list(map(spell, parts))


def test_words_of_the_same_hash_keep_their_ids(monkeypatch):
    np = pytest.importorskip("numpy", reason="bulk cutting needs it")
    from tokenizers_lite import bulk

    monkeypatch.setattr(bulk.table.WordTable, "_hashes", lambda self, units, starts: np.ones(len(starts), np.uint64))
    table = bulk.Bulk(np, bulk.of_characters(np, "a\0b\0c"), lambda word: [ord(word)])

    assert table.encode([["abba"], 300, ["c"]]) == [97, 98, 98, 97, 300, 99]


def test_text_with_the_marks_goes_another_way():
    np = pytest.importorskip("numpy", reason="bulk cutting needs it")
    from tokenizers_lite import bulk

    table = bulk.Bulk(np, bulk.of_characters(np, "a\0b"), lambda word: [ord(word)])

    assert table.encode([["a\0b"]]) is None
    assert table.encode([["a\1b"]]) is None


@pytest.fixture(params=["qwen3", "llama-3.2-instruct", "llama2", "gemma-2", "smollm2"])
def pair(request, monkeypatch):
    """Return (plain tokenizer, one that uses every fast means from the first character)."""
    pytest.importorskip("numpy", reason="bulk cutting needs it")
    spec = SPECS.get(request.param) or SPECS.setdefault(
        request.param, read(str(shared_vocab(request.param) / "tokenizer.json"))
    )
    plain, fast = Tokenizer(spec), Tokenizer(spec)
    from tokenizers_lite import bulk

    for name in ("BULK_LENGTH", "MANY", "TOGETHER"):
        monkeypatch.setattr(together, name, 2)
    monkeypatch.setattr(bulk.table, "FEW", 1)
    monkeypatch.setattr(pipeline, "BULK_LENGTH", 2)
    monkeypatch.setattr(components, "_MARKED_LENGTH", 2)
    monkeypatch.setattr(added, "_PATIENCE", 0)
    for name in ("_PATIENCE", "_BULK_TOTAL"):
        monkeypatch.setattr(pipeline, name, 0)
    fast._components.pipeline  # noqa: B018 - made under these thresholds
    fast.encode("中文字符 abc " * 9)
    monkeypatch.setattr(pipeline, "_PATIENCE", 1 << 60)
    plain._components.pipeline  # noqa: B018
    plain.encode = lambda text: plain_encode(plain, text)
    return plain, fast


def plain_encode(tokenizer, text):
    """Encode without numpy."""
    used = tokenizer._components.pipeline
    cut = used.words if isinstance(used, pipeline.CutBPE) else used._pieces
    ids = []
    for part in tokenizer._components.normalized_parts(text, None) if text else []:
        ids += [part] if isinstance(part, int) else used.cache.encode(cut(*part))
    before, after = tokenizer._components.frame
    return [*before, *ids, *after]


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


def test_tokens_that_are_not_their_own_bpe_are_found_without_a_compact_file_too(tmp_path):
    np = pytest.importorskip("numpy", reason="only the word table asks for them")
    tokenizer = Tokenizer(read(str(shared_vocab("llama-3.2-instruct") / "tokenizer.json")))
    tokenizer.save(str(tmp_path / "llama.tokc"))
    found = []
    for model in (tokenizer._components.model, load(str(tmp_path / "llama.tokc"))._components.model):
        speller = spelling.of_bytes(model, pipeline.ByteIds(model), lambda piece: [])
        odd = spelling.odd_tokens(np, model, speller.bulk(np).merger)
        found.append({text for text in odd if model.token_to_id(to_alphabet(text)) is not None})

    assert found[0] == found[1]
    assert " việc" in found[0]


def test_such_tokens_stay_whole_in_long_texts(pair):
    plain, fast = pair

    for text in ("Trong công việc, nhiều người 中文 việc. ", " việc", "việc việc中"):
        assert fast.encode(text * 40) == plain.encode(text * 40)


def test_a_full_cache_drops_its_older_half(monkeypatch):
    monkeypatch.setattr(pipeline, "PIECES", 4)
    cache = pipeline.PieceCache(lambda piece: [len(piece)])

    assert cache.encode(["a", "bb", "ccc", "dddd"]) == [1, 2, 3, 4]
    assert cache.encode(["eeeee", "a"]) == [5, 1]
    assert list(cache) == ["ccc", "dddd", "eeeee", "a"]
    assert cache.encode(["x" * 200]) == [200]
    assert "x" * 200 not in cache
