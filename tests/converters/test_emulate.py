"""The emulated readers do what the C++ was seen to do, mistakes included; one case for each rule of the description."""

import pytest

from tests.paths import shared_corpus, shared_vocab
from tokenizers_lite.errors import SpecError
from vocab_converters import emulate, mnn_text, mtok
from vocab_converters._header import Header
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, make
from vocab_converters.emulate import MNN, MNN_LLM, NATIVE, READERS, ReaderError
from vocab_converters.emulate._base import as_bytes

NONE, NO_TAIL = Node(0), mtok.Tail()


def pieces(*entries, **header):
    return mnn_text.SentencePieceVocab(Header(0, **header), list(entries))


def tokens(kind, *entries, **header):
    return mnn_text.TokenVocab(Header(kind, **header), list(entries))


def bpe(vocab, merges=(), pre=NONE, normalizer=NONE, decoder=None, added=(), tail=NO_TAIL, **header):
    model = mtok.BpeModel(sorted(vocab.items()), sorted(merges))
    return mtok.Mtok(Header(4, **header), normalizer, pre, model, decoder or make(DECODERS, "fuse"), tuple(added), tail)


def ids(record, reader, text):
    return emulate.build(record, reader).encode(text)


# ------------------------------------------------------------ all types


def test_the_first_special_of_the_list_wins_not_the_longest():
    record = tokens(1, b"a", b"ab", b"b", special=(0, 1))

    assert ids(record, NATIVE, "ab") == [0, 2]


def test_prefix_ids_come_before_everything_even_nothing():
    record = tokens(1, b"a", prefix=(7, 8), special=(0,))

    assert ids(record, MNN, "") == [7, 8]
    assert ids(record, MNN, "a") == [7, 8, 0]


def test_mnn_compares_specials_no_further_than_a_nul():
    record = tokens(1, b"<\0>", b"<", b"\0", b"!", special=(0,))

    assert ids(record, MNN, "<\0!") == [0]
    assert ids(record, NATIVE, "<\0!") == [1, 2, 3]


def test_only_native_forgets_the_stop_ids():
    record = tokens(1, b"a", stop=(0,))

    assert [emulate.build(record, reader).is_stop(0) for reader in READERS] == [True, False, True]


def test_a_lone_surrogate_is_a_replacement_character():
    record = tokens(1, "\ufffd".encode(), b"a")

    assert ids(record, MNN, "a\ud800a") == [1, 0, 1]


def test_an_unknown_reader_is_refused():
    with pytest.raises(SpecError, match="native-llm"):
        emulate.build(tokens(1, b"a"), "llama.cpp")


# ------------------------------------------------------------ type 0


def test_type_0_puts_a_marker_before_every_segment_except_in_mnn_llm():
    record = pieces(("<unk>", 0, 2), ("▁", 0, 1), ("a", 0, 1), ("▁a", -1, 1), ("|", 0, 3), special=(4,))

    assert ids(record, NATIVE, "a|a") == [3, 4, 3]
    assert ids(record, MNN_LLM, "a|a") == [2, 4, 2]


def test_type_0_merges_the_best_score_first_then_the_leftmost():
    record = pieces(("<unk>", 0, 2), *((c, 0, 1) for c in "abc"), ("ab", -2, 1), ("bc", -1, 1), ("aa", -3, 1))

    assert ids(record, MNN_LLM, "abc") == [1, 5]
    assert ids(record, MNN_LLM, "aaa") == [6, 1]


def test_type_0_scores_are_single_precision():
    record = pieces(("<unk>", 0, 2), *((c, 0, 1) for c in "abc"), ("ab", 0.1, 1), ("bc", 0.1 + 1e-12, 1))

    assert ids(record, MNN_LLM, "abc") == [4, 3]


def test_type_0_without_an_unknown_piece_takes_id_0_for_it():
    record = pieces(("a", 0, 1), ("b", 0, 1), ("<0x61>", 0, 6))

    assert ids(record, MNN_LLM, "ab") == [2, 1]


def test_type_0_user_defined_pieces_are_no_merge_targets():
    record = pieces(("<unk>", 0, 2), ("a", 0, 1), ("b", 0, 1), ("ab", 0, 4))

    assert ids(record, MNN_LLM, "ab") == [1, 2]


def test_type_0_decoding_deletes_too_much_except_in_native():
    record = pieces(("<unk>", 0, 2), ("ab▁cdefgh", 0, 1), ("▁▁a", 0, 1), ("<0xE5>", 0, 6))

    assert emulate.build(record, NATIVE).decode_id(1) == b"ab cdefgh"
    assert emulate.build(record, MNN).decode_id(1) == b"ab efgh"
    assert emulate.build(record, MNN).decode_id(2) == " ▁a".encode()
    assert emulate.build(record, MNN).decode_id(3) == b"<0xE5>"


def test_type_0_special_ids_outside_the_vocabulary_crash_only_mnn_llm():
    record = pieces(("a", 0, 1), special=(5,))

    assert ids(record, MNN, "a") != []
    with pytest.raises(ReaderError, match="out of bounds"):
        emulate.build(record, MNN_LLM)


def test_type_0_reads_characters_by_their_lead_byte():
    record = pieces(("<unk>", 0, 2), ("a", 0, 1), ("b", 0, 1), *((f"<0x{n:02X}>", 0, 6) for n in (0xE2, 0x61, 0x62)))

    assert ids(record, MNN_LLM, b"\xe2ab") == [3, 4, 5]


# ------------------------------------------------------------ types 1 and 2


def test_type_1_takes_the_longest_token():
    record = tokens(1, b"a", b"b", b"ab", b"abc")

    assert [ids(record, reader, "abab") for reader in READERS] == [[2, 2]] * 3


def test_type_1_skips_unknown_bytes_except_mnn_llm_which_stops():
    record = tokens(1, b"a", b"b")

    assert [ids(record, reader, "a?b") for reader in READERS] == [[0], [0, 1], [0, 1]]


def test_type_1_lowest_id_of_a_repeated_token_wins_except_in_mnn_llm():
    record = tokens(1, b"a", b"a")

    assert [ids(record, reader, "a") for reader in READERS] == [[1], [0], [0]]


def test_type_1_mnn_reads_past_the_end_where_a_token_goes_on_with_nul():
    record = tokens(1, b"a", b"a\0")

    assert ids(record, NATIVE, "a") == [0]
    with pytest.raises(ReaderError, match="NUL"):
        ids(record, MNN, "a")


def test_type_2_splits_bytes_and_falls_back_to_unknown():
    record = tokens(2, b"[UNK]", b"ab", b"c", b"##d", b"!", "é".encode(), "中".encode())

    assert ids(record, MNN, "AB c!") == [1, 2, 4]
    assert ids(record, MNN, "cdx") == [2, 3, 0]
    assert ids(record, MNN_LLM, "cdx") == [2, 3, 100]
    assert ids(record, NATIVE, "é中") == [5, 6]
    assert ids(record, MNN_LLM, "中") == [6]


def test_type_2_mnn_llm_loses_two_byte_characters():
    record = tokens(2, b"[UNK]", b"ab", "é".encode(), "\N{COMBINING ACUTE ACCENT}".encode())

    assert ids(record, MNN_LLM, "é") == []


def test_type_2_without_unk():
    record = tokens(2, b"a")

    assert [ids(record, reader, "?") for reader in READERS] == [[100], [], [100]]


# ------------------------------------------------------------ type 3


def alphabet_vocab(*merges, **header):
    made = ["".join(pair) for pair in merges]
    return mnn_text.MergeVocab(Header(3, **header), [*emulate._base.ALPHABET, *made], list(merges))


def test_type_3_pre_tokenizers_are_the_readers_own():
    record = alphabet_vocab(("1", "2"), ("Ġ", "a"), ("_", "_"), ("a", "b"))
    text = " ab__12"
    code = {char: number for number, char in enumerate(record.tokens)}

    assert ids(record, NATIVE, text) == [code["Ġa"], code["b"], code["__"], code["1"], code["2"]]
    assert ids(record, MNN_LLM, text) == [code["Ġa"], code["b"], code["12"]]
    assert ids(record, MNN, text) == [code["Ġa"], code["b"], code["__"], code["1"], code["2"]]


def test_type_3_merge_products_outside_the_vocabulary_throw_except_in_native():
    record = mnn_text.MergeVocab(Header(3), ["a", "b"], [("a", "b")])

    assert ids(record, NATIVE, "ab") == [0, 1]
    for reader in (MNN, MNN_LLM):
        with pytest.raises(ReaderError, match="throws"):
            ids(record, reader, "ab")


def test_type_3_raw_added_tokens_are_never_found():
    raw = mnn_text.MergeVocab(Header(3, (256,)), [*emulate._base.ALPHABET, "<｜User｜>"], [])

    assert emulate.build(raw, NATIVE).decode_id(256) == b"<User>"


# ------------------------------------------------------------ type 4


def test_mnn_llm_does_not_know_type_4():
    with pytest.raises(ReaderError, match="type 4"):
        emulate.build(bpe({"a": 0}), MNN_LLM)


def test_a_missing_merge_product_stops_all_merging():
    record = bpe({"a": 0, "b": 1, "c": 2, "bc": 3}, [(0, 1, 0), (1, 2, 1)])

    assert ids(record, MNN, "abc") == [0, 1, 2]


def test_ranks_from_a_billion_on_never_merge():
    assert ids(bpe({"a": 0, "b": 1, "ab": 2}, [(0, 1, 10**9)]), MNN, "ab") == [0, 1]


def test_characters_outside_the_vocabulary_vanish_or_become_bytes():
    assert ids(bpe({"a": 0, "<0xC3>": 1}), MNN, "aéa") == [0, 1, 0]


def test_an_unsorted_vocabulary_is_searched_all_the_same():
    model = mtok.BpeModel([("b", 0), ("a", 1), ("c", 2)], [])
    record = mtok.Mtok(Header(4), Node(0), Node(0), model, make(DECODERS, "fuse"))

    assert ids(record, MNN, "abc") == [2]  # bisection misses the other two


def test_the_table_blanks_format_characters_first():
    table = make(NORMALIZERS, "table", ((0x41, "a"), (0x200D, "!")))
    record = bpe({"a": 0, " ": 1, "!": 2, "B": 3}, normalizer=table)

    assert ids(record, MNN, "A\u200dB\x01\n") == [0, 1, 3, 1]


def test_bert_normalizer_order_and_marks():
    table = ((0xE9, "e\u0301"),)
    node = make(NORMALIZERS, "bert-nfd", 1, 1, 1, 1, table)
    normalize = emulate._stages.normalizer(node)

    assert normalize("É é 中\tx\0\u0903") == "é e  中  x"


def test_digits_know_ascii_only_and_do_nothing_in_runs():
    split = emulate._stages.pre_tokenizer(make(PRE_TOKENIZERS, "digits", 1))

    assert split(["a12٣b"]) == ["a", "1", "2", "٣b"]
    assert emulate._stages.pre_tokenizer(make(PRE_TOKENIZERS, "digits", 0))(["a12b"]) == ["a12b"]


@pytest.mark.parametrize(
    ("behaviour", "invert", "expected"),
    [
        (0, 0, ["a", "-", "b", "-", "-"]),
        (2, 0, ["a-", "b--"]),
        (1, 0, ["a", "b"]),
        (3, 0, ["a", "b"]),
        (1, 1, ["-", "-", "-"]),
    ],
)
def test_split_behaviours(behaviour, invert, expected):
    split = emulate._stages.pre_tokenizer(make(PRE_TOKENIZERS, "split", "-", invert, behaviour))

    assert split(["a-b--"]) == expected


def test_added_tokens_swallow_ascii_white_space_only():
    added = [mtok.MtokToken(1, "<x>", lstrip=True, rstrip=True)]
    record = bpe({"a": 0, "<x>": 1, "\u3000": 2, " ": 3}, added=added)

    assert ids(record, MNN, "a \t<x>\n \u3000a") == [0, 1, 2, 0]


def test_added_tokens_earliest_then_longest():
    added = [mtok.MtokToken(1, "<x"), mtok.MtokToken(2, "<x>")]

    assert ids(bpe({"a": 0, "<x": 1, "<x>": 2}, added=added), MNN, "a<x>") == [0, 2]


def test_post_operations_run_in_mnn_only_and_double_a_prefix():
    tail = mtok.Tail("", "", 0, "", (mtok.PostOp(9), mtok.PostOp(), mtok.PostOp(0xFFFFFFFF)))
    record = bpe({"a": 0}, tail=tail, prefix=(9,))

    assert ids(record, MNN, "a") == [9, 9, 0]
    assert ids(record, NATIVE, "a") == [9, 0]


def test_decoding_one_id():
    vocab = {"▁a": 0, "<0xE5>": 1, "Ċ": 2, "x<0x4z": 3}
    plain = emulate.build(bpe(vocab, special=(3,)), MNN)
    level = emulate.build(bpe(vocab, decoder=make(DECODERS, "byte-level")), NATIVE)

    assert [plain.decode_id(number) for number in (0, 1, 2, 7)] == [b" a", b"\xe5", "Ċ".encode(), b""]
    assert level.decode_id(2) == b"\n"
    assert plain.decode([0, 3, 1]) == " a".replace(" ", "▁").encode() + b"<0xE5>"


def test_mnn_decodes_a_list_with_the_chain_and_drops_specials():
    chain = make(DECODERS, "sequence", (make(DECODERS, "replace", "▁", " "), make(DECODERS, "byte-fallback")))
    tail = mtok.Tail("", "", 1, "")
    record = bpe({"▁a": 0, "<0xE5>": 1, "<s>": 2, "▁'s": 3}, decoder=chain, special=(2,), tail=tail)

    assert emulate.build(record, MNN).decode([2, 0, 3, 1]) == b" a's\xe5"


def test_unigram_prefers_the_shorter_last_piece_and_fuses_unknowns():
    model = mtok.UnigramModel([("<unk>", 0, -9.0), ("a", 1, -1.0), ("aa", 2, -2.0), ("b", 3, -1.0)], 0)
    record = mtok.Mtok(Header(4), Node(0), Node(0), mtok.UnigramModel(sorted(model.vocab), 0), make(DECODERS, "fuse"))

    assert ids(record, MNN, "aab") == [1, 1, 3]
    assert ids(record, MNN, "a中文b") == [1, 0, 3]


def test_wordpiece_counts_bytes():
    model = mtok.WordPieceModel(sorted([("[UNK]", 0), ("é", 1), ("##é", 2)]), max_chars=3)
    record = mtok.Mtok(Header(4), Node(0), Node(0), model, make(DECODERS, "wordpiece", "##", 1))

    assert ids(record, MNN, "é") == [1]
    assert ids(record, MNN, "éé") == [0]


# ------------------------------------------------------------ real files


@pytest.mark.parametrize("reader", [NATIVE, MNN])
def test_the_apps_file_gives_its_models_ids(reader):
    """Hunyuan's stock file has no normalizer and patterns the engine knows: equal on ordinary text."""
    tk = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    folder = shared_vocab("hunyuan-mt")
    oracle = tk.Tokenizer.from_file(str(folder / "tokenizer.json"))
    emulated = emulate.load(folder / "vocab_Hunyuan_MT.txt", reader)

    for name in ("zh_fortunes_poems.txt", "code_python_js_html.txt", "hi.txt"):
        for line in shared_corpus(name).splitlines()[::400]:
            assert emulated.encode(line) == oracle.encode(line, add_special_tokens=False).ids


def test_a_file_of_either_extension_loads(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes(mtok.emit(bpe({"a": 0})))

    assert emulate.load(path, NATIVE).encode("a") == [0]


def test_a_pair_of_surrogates_is_the_character_it_means():
    assert as_bytes("\ud83d\udc4d\ud83d") == "👍\ufffd".encode()
