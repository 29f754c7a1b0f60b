"""The tokenizer's own surface: options, laws, errors, copies."""

import copy
import pickle
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenizers_lite
from tests.strategies import any_texts, texts
from tokenizers_lite import AddedToken, SpecialTokenError, Tokenizer, Truncation, VocabError
from tokenizers_lite.spec import Padding, Spec, models, pre_tokenizers

MODELS = ["qwen3", "phi3.5", "smollm2", "bge-small-en"]
QWEN3 = tokenizers_lite.load("qwen3", offline=True)
SMOLLM2 = tokenizers_lite.load("smollm2", offline=True)
SPECIALS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "<|user|>", "</s>", "[SEP]", "[UNK]"]


@pytest.fixture(scope="module", params=MODELS)
def tokenizer(request):
    return tokenizers_lite.load(request.param, offline=True)


@given(text=any_texts(SPECIALS), add=st.booleans())
def test_count_and_batch_and_offsets_agree_with_encode(tokenizer, text, add):
    ids = tokenizer.encode(text, add_special_tokens=add)

    assert tokenizer.count(text, add_special_tokens=add) == len(ids)
    assert tokenizer.encode_batch([text, "x"], add_special_tokens=add)[0] == ids
    assert list(tokenizer.encode_with_offsets(text, add_special_tokens=add).ids) == ids


@given(text=any_texts(SPECIALS), limit=st.integers(0, 40), add=st.booleans())
def test_truncate_gives_a_prefix_within_the_bound(tokenizer, text, limit, add):
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    prefix = tokenizer.truncate(text, limit, add_special_tokens=add)

    assert clean.startswith(prefix)
    frame = len(tokenizer.encode("", add_special_tokens=add))
    assert tokenizer.count(prefix, add_special_tokens=add) <= max(limit, frame)
    if tokenizer.count(text, add_special_tokens=add) <= limit:
        assert prefix == clean


@given(text=texts(SPECIALS), skip=st.booleans())
def test_stream_and_bytes_equal_decode(tokenizer, text, skip):
    ids = tokenizer.encode(text)
    decoded = tokenizer.decode(ids, skip_special_tokens=skip)

    stream = tokenizer.stream(skip_special_tokens=skip)
    assert "".join(map(stream.push, ids)) + stream.finish() == decoded
    assert tokenizer.decode_batch([ids, ids], skip_special_tokens=skip) == [decoded, decoded]
    if "\ufffd" not in decoded:
        assert tokenizer.decode_bytes(ids, skip_special_tokens=skip).decode("utf-8", "replace") == decoded


@given(text=texts(SPECIALS))
def test_byte_level_round_trip(text):
    tokenizer = SMOLLM2
    ids = tokenizer.encode(text, allowed_special=())

    # SmolLM2 has no token for bytes that no text it was trained on had.
    lost = [char for char in text if not tokenizer.encode(char) or tokenizer.decode(tokenizer.encode(char)) != char]
    if not lost:
        assert tokenizer.decode(ids, skip_special_tokens=False) == text


@given(text=texts())
def test_offsets_cover_the_text(text):
    text = unicodedata.normalize("NFC", text)
    encoding = QWEN3.encode_with_offsets(text)

    covered = {place for start, end in encoding.offsets for place in range(start, end)}
    assert covered == set(range(len(text)))
    assert all(a[0] <= b[0] for a, b in zip(encoding.offsets, encoding.offsets[1:], strict=False))


def test_lone_surrogates_are_replaced_and_pairs_joined(tokenizer):
    assert tokenizer.encode("a\ud800b") == tokenizer.encode("a\ufffdb")
    assert tokenizer.encode("\ud83d\ude00") == tokenizer.encode("😀")


class TestSpecialTokens:
    """Which special tokens are recognised is the caller's choice."""

    tokenizer = tokenizers_lite.load("qwen3", offline=True)
    text = "<|im_start|>user"

    def test_all_by_default(self):
        assert self.tokenizer.encode(self.text) == [151644, 872]

    def test_none(self):
        ids = self.tokenizer.encode(self.text, allowed_special=())
        assert 151644 not in ids
        assert self.tokenizer.decode(ids) == self.text

    def test_some(self):
        text = "<|im_start|><|im_end|>"
        assert self.tokenizer.encode(text, allowed_special={"<|im_end|>"})[-1] == 151645
        assert self.tokenizer.encode(text, allowed_special={"<|im_end|>"})[0] != 151644

    def test_tokens_without_the_special_flag_are_always_recognised(self):
        assert self.tokenizer.encode("<think>", allowed_special=()) == [151667]

    @pytest.mark.parametrize("disallowed", ["all", {"<|im_start|>"}])
    def test_disallowed_raises_with_the_remedy(self, disallowed):
        with pytest.raises(SpecialTokenError, match="pass allowed_special="):
            self.tokenizer.encode(self.text, allowed_special=(), disallowed_special=disallowed)

    def test_disallowing_all_but_the_allowed(self):
        assert self.tokenizer.encode(self.text, allowed_special={"<|im_start|>"}, disallowed_special="all") == [
            151644,
            872,
        ]
        assert self.tokenizer.encode(self.text, disallowed_special="all") == [151644, 872]


def test_vocabulary_access(tokenizer):
    vocab = tokenizer.vocab()

    assert len(vocab) == tokenizer.vocab_size
    for token, id_ in list(vocab.items())[:: len(vocab) // 500]:
        assert tokenizer.token_to_id(token) == id_
        assert tokenizer.id_to_token(id_) == token
    with pytest.raises(VocabError, match="no id"):
        tokenizer.id_to_token(10**9)
    with pytest.raises(VocabError, match="no token"):
        tokenizer.token_to_id("no such token, surely")
    assert tokenizer.decode([10**9, -1]) == ""


@pytest.mark.parametrize(
    ("name", "bos", "eos", "stop"),
    [
        ("qwen3", None, 151645, (151645, 151643)),
        ("deepseek-r1-distill-qwen", 151646, 151643, (151643,)),
        ("phi3.5", 1, 32000, (32007, 32001, 32000)),
        ("smollm2", 1, 2, (2,)),
    ],
)
def test_ids_by_role(name, bos, eos, stop):
    tokenizer = tokenizers_lite.load(name, offline=True)

    assert (tokenizer.bos_id, tokenizer.eos_id) == (bos, eos)
    assert set(tokenizer.stop_ids) == set(stop)


def test_bos_of_the_configuration_is_added_once():
    tokenizer = tokenizers_lite.load("deepseek-r1-distill-qwen", offline=True)

    # Published by DeepSeek's users when transformers 5 lost the BOS.
    assert tokenizer.encode("Who are you?") == [151646, 15191, 525, 498, 30]
    a, b = tokenizer.encode("a", add_special_tokens=False), tokenizer.encode("b", add_special_tokens=False)
    assert tokenizer.encode_pair("a", "b") == [151646, *a, 151646, *b]


def test_with_tokens_returns_another_tokenizer():
    tokenizer = tokenizers_lite.load("qwen3", offline=True)
    other = tokenizer.with_tokens(["<new>", AddedToken(0, "<|sys|>", lstrip=True), "<think>"], special=True)

    assert other.encode("a <|sys|><new>") == [64, 151670, 151669]
    assert other.decode([151669, 64]) == "a"
    assert other.token_to_id("<think>") == 151667
    assert other.vocab_size == tokenizer.vocab_size + 2
    assert 151669 not in tokenizer.encode("<new>")


def test_pickle_and_copy(tokenizer):
    text = "Pickled cucumbers 🥒 <|im_end|>"

    assert pickle.loads(pickle.dumps(tokenizer)).encode(text) == tokenizer.encode(text)
    assert copy.deepcopy(tokenizer).encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize("tokenizer", [SMOLLM2, tokenizers_lite.load("bge-small-en", offline=True)], ids=repr)
def test_save_and_load(tokenizer, tmp_path):
    path = str(tmp_path / "saved.tokc")
    tokenizer.save(path)
    saved = tokenizers_lite.load(path)

    assert saved.spec == tokenizer.spec
    assert saved.encode("Saved: naïve 中文 123") == tokenizer.encode("Saved: naïve 中文 123")


def test_truncation_and_padding_by_call(tokenizer):
    encoding = tokenizer.encode_with_offsets(
        "one two three four five", truncation=Truncation(4), padding=Padding(fixed=6)
    )

    assert len(encoding.ids) == 6
    assert encoding.attention_mask == (1, 1, 1, 1, 0, 0)
    assert encoding.overflowing


def test_a_batch_is_padded_to_its_longest(tokenizer):
    short, pair = tokenizer.encode_batch_with_offsets(["one", ("one two three", "four")], padding=Padding(pad_id=7))

    assert len(short.ids) == len(pair.ids)
    assert short.ids[-1] == 7
    assert pair == tokenizer.encode_with_offsets("one two three", "four")


def test_threads_share_a_tokenizer():
    tokenizer = tokenizers_lite.load("smollm2", offline=True)
    words = [f"word{n} 中文{n} \n" * 5 for n in range(200)]
    expected = [tokenizers_lite.load("smollm2", offline=True).encode(word) for word in words[:20]]
    results: dict[int, list[list[int]]] = {}

    def work(number: int) -> None:
        results[number] = [tokenizer.encode(word) for word in words]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16
    assert all(result == results[0] for result in results.values())
    assert results[0][:20] == expected


def test_a_spec_made_by_hand():
    vocab = {"a": 0, "b": 1, "ab": 2}
    tokenizer = Tokenizer(Spec(models.BPE(vocab, (("a", "b"),)), pre_tokenizer=pre_tokenizers.WhitespaceSplit()))

    assert tokenizer.encode("ab b a") == [2, 1, 0]
    assert tokenizer.decode([2, 1]) == "ab b"


def test_errors_of_load_name_what_to_do(tmp_path):
    with pytest.raises(tokenizers_lite.SpecError, match="did you mean"):
        tokenizers_lite.load("qwen33")
    with pytest.raises(tokenizers_lite.SpecError, match="tokenizer"):
        tokenizers_lite.load(tmp_path)


def test_load_as_a_stock_reader_reads_it(tmp_path):
    from vocab_converters import convert

    path = str(tmp_path / "vocab.txt")
    convert(SMOLLM2, path, target="mtok", reader="mnn", allow_loss=True, whole_vocabulary=False)

    reader = tokenizers_lite.load(path, as_reader="mnn")

    ids = SMOLLM2.encode("Hello world, this is a phone.")
    assert reader.encode("Hello world, this is a phone.") == ids
    assert reader.decode(ids) == b"Hello world, this is a phone."
    with pytest.raises(tokenizers_lite.SpecError, match="as_reader"):
        tokenizers_lite.load(path)
