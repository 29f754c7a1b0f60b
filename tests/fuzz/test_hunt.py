"""The hunt itself: units repeat, finds become small, runs go on, and what is broken is found."""

import json
import os
import random
import time
import tracemalloc

import pytest

pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

from fuzz import campaigns, chats, files, guided, hunt, laws, minimise, models, report, specs, state, thresholds
from fuzz.texts import Texts
from tests import paths
from tokenizers_lite.formats import hf_json
from tokenizers_lite.models.wordlevel import WordLevel


@pytest.mark.parametrize("campaign", ["specs", "damaged"])
def test_a_unit_finds_nothing_and_repeats(campaign, monkeypatch):
    monkeypatch.setattr(campaigns, "SPECS_A_UNIT", 3)

    first, again = campaigns.run(campaign, 5), campaigns.run(campaign, 5)

    assert first["finds"] == []
    assert first["counts"] == again["counts"]
    assert first["counts"]["specs"] == 3


def test_a_fault_is_found_and_made_small(monkeypatch):
    model = {"type": "WordLevel", "vocab": {"<unk>": 0, "b": 1}, "unk_token": "<unk>"}
    split = {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated", "invert": False}
    spec = {"version": "1.0", "normalizer": {"type": "NFC"}, "pre_tokenizer": split, "model": model}
    right = WordLevel.tokenize
    monkeypatch.setattr(WordLevel, "tokenize", lambda self, piece: [9] if piece == "b" else right(self, piece))
    case = {"law": "encode", "spec": spec, "input": {"text": "aabaab", "add": True}}

    small = minimise.minimise(case)

    assert small["wrong"].startswith("ids of encode()")
    assert small["input"]["text"] == "b"
    assert not small["spec"].get("normalizer")
    assert not small["spec"].get("pre_tokenizer")


@pytest.mark.parametrize("reader", sorted(files.READERS))
def test_samples_are_read_and_damaged_ones_give_typed_errors(reader, tmp_path):
    if reader != "sentencepiece":  # training takes seconds; its readers have tests of their own
        assert files.attempt(reader, files.READERS[reader](random.Random(1)), str(tmp_path)) == "read"
        for number in range(8):
            files.attempt(reader, files.damaged(reader, 3, number), str(tmp_path))


def test_a_small_file_takes_little_memory(tmp_path):
    from vocab_converters import _binary

    path = tmp_path / "small"
    path.write_bytes(b"430 1\n")
    tracemalloc.start()
    _binary.read_limited(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1 << 20


@pytest.mark.parametrize("name", ["threads", "fork", "pickle", "killed writer", "cache", "killed export"])
def test_state(name):
    if name not in state.CHECKS:
        pytest.skip("exports need onnx and onnxruntime: pip install 'tokenizers-lite[runtime]'")
    assert state.CHECKS[name](random.Random(3)) is None


def test_a_run_goes_on_where_it_was_killed(tmp_path):
    run = hunt.Run(tmp_path, {"length": "quick"})
    run.keep({"campaign": "specs", "seed": 0, "seconds": 1.0, "counts": {"texts": 5}, "finds": []})
    with open(tmp_path / "units.jsonl", "a", encoding="utf-8") as file:
        file.write('{"campaign": "specs", "se')

    again = hunt.Run(tmp_path, {})
    again.keep({"campaign": "specs", "seed": 1, "seconds": 1.0, "counts": {"texts": 2}, "finds": []})

    assert hunt.Run(tmp_path, {}).done == {("specs", 0), ("specs", 1)}
    assert again.totals()["texts"] == 7
    assert again.settings == {"length": "quick"}


def test_workers_that_die_are_replaced(tmp_path):
    worker = hunt.Worker()
    try:
        worker.close()
        worker._start()
        failed = worker.do("no such campaign", 1)
        assert list(failed["counts"]) == ["unit ValueError: no campaign 'no such campaign'"]
    finally:
        worker.close()


def test_another_version_of_the_oracle_is_named(monkeypatch):
    assert report.drift() is None or laws.tokenizers.__version__ != laws.PINNED
    monkeypatch.setattr(laws, "PINNED", "0.0.1")

    assert f"tokenizers {laws.tokenizers.__version__} is installed" in report.drift()
    assert "0.0.1" in report.drift()


def test_texts_are_made_of_what_the_tokenizer_is_made_of():
    texts = Texts(random.Random(1), ["piece"], ["<added>"], ["corpus of words"]).texts(300)

    assert texts == Texts(random.Random(1), ["piece"], ["<added>"], ["corpus of words"]).texts(300)
    joined = "".join(texts)
    assert all(part in joined for part in ("piece", "piec", "PIECE", "<added>", "added>", "corp"))


def test_every_component_of_the_format_is_made():
    made = json.dumps([specs.spec(random.Random(seed)) for seed in range(400)])

    names = "BertNormalizer Strip StripAccents NFC NFD NFKC NFKD Lowercase Nmt Replace Prepend ByteLevel Precompiled "
    names += "BertPreTokenizer CharDelimiterSplit Metaspace Whitespace Split Punctuation WhitespaceSplit Digits "
    names += "UnicodeScripts FixedLength BertProcessing RobertaProcessing TemplateProcessing BPEDecoder WordPiece CTC "
    names += "Fuse ByteFallback BPE WordLevel Unigram Sequence"
    assert [name for name in names.split() if f'"type": "{name}"' not in made] in ([], ["Precompiled"])


def racing(self, text, **_):
    self.__dict__["shared"] = text
    time.sleep(0.0001)
    return [len(self.__dict__["shared"])]


def of_this_process(self, text, **_):
    return [os.getpid()]


def as_another(self):
    model = {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"}
    return type(self), (hf_json.parse(json.dumps({"version": "1.0", "model": model}).encode()), "")


TORN = """
import sys, time
print("ready", flush=True)
data = open(sys.argv[2], "rb").read()
while True:
    with open(sys.argv[1], "wb") as file:
        for byte in data:
            file.write(bytes([byte]))
            file.flush()
            time.sleep(0.001)
"""
IN_PLACE = state._FILL.replace(
    "print(keep",
    "import os; os.makedirs(sys.argv[1], exist_ok=True); fill(sys.argv[1]); sys.exit(1)\nprint(keep",
)


def exports_script():
    from fuzz import exports

    return exports._EXPORT


# The data replaced before the graph, as it was until exports were staged; time to be killed in between.
SLOW_AND_DIRECT = """
import os, shutil, time
from runtime import install
def complete(staging, target):
    for name in sorted(os.listdir(staging), reverse=True):
        os.replace(os.path.join(staging, name), os.path.join(target, name))
        time.sleep(0.03)
install._install = complete
"""


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("threads", lambda patch: patch.setattr(state.Tokenizer, "encode", racing)),
        ("fork", lambda patch: patch.setattr(state.Tokenizer, "encode", of_this_process)),
        ("pickle", lambda patch: patch.setattr(state.Tokenizer, "__reduce__", as_another)),
        ("killed writer", lambda patch: patch.setattr(state, "_WRITE", TORN)),
        ("killed converter", lambda patch: patch.setattr(state, "_WRITE", TORN)),
        ("cache", lambda patch: patch.setattr(state, "_FILL", IN_PLACE)),
        ("killed export", lambda patch: patch.setattr("fuzz.exports._EXPORT", SLOW_AND_DIRECT + exports_script())),
    ],
)
def test_each_check_of_state_fails_where_the_code_is_broken(name, break_it, monkeypatch):
    if name not in state.CHECKS:
        pytest.skip("exports need onnx and onnxruntime: pip install 'tokenizers-lite[runtime]'")
    break_it(monkeypatch)

    assert state.CHECKS[name](random.Random(3)) is not None


def test_texts_are_made_around_the_thresholds_of_the_code():
    assert set(thresholds.sizes()) >= {160, 256, 4096, 30_000}
    source = Texts(random.Random(1), ["piece"], [], ["corpus of words "])
    sizes = {len(source.long_text(source.near(128, 5000))) for _ in range(200)}
    assert {4096, 128, 129} & sizes
    assert any("\0" in source.word(200) for _ in range(60))


def test_compact_files_are_sealed_again():
    data = files.READERS["compact"](random.Random(1))["t.tokc"]

    assert files.sealed(data) == data
    changed = data[:200] + bytes([data[200] ^ 1]) + data[201:]
    assert files.sealed(changed) != changed
    assert files.sealed(b"short") == b"short"


def test_goals_end_campaigns(tmp_path):
    run = hunt.Run(tmp_path, {})
    run.keep({"campaign": "text:a", "seed": 0, "seconds": 1.0, "counts": {"texts": 5}, "finds": []})
    goal = hunt.Goal(run, 5)

    assert goal.reached("text:a")
    assert not goal.reached("text:b")
    assert next(hunt.units(["text:a", "text:b"], 0, goal.reached)) == ("text:b", 0)
    assert list(hunt.units(["text:a"], 0, goal.reached)) == []
    assert run.results[0]["commit"]


def test_a_model_without_its_files_is_that_of_the_package(monkeypatch, tmp_path):
    bundled = models.BUNDLED / "smollm2.tokc"
    if not bundled.exists():
        pytest.skip(f"{bundled} is not there; scripts rebuild the bundled files")
    monkeypatch.setattr(paths, "SHARED", tmp_path)
    models.model.cache_clear()

    subject = models.model("smollm2")

    assert subject.oracle.encode("Hello, world").ids == subject.ours.encode("Hello, world")
    models.model.cache_clear()


def test_a_seed_corpus_is_filled_once(tmp_path, monkeypatch):
    monkeypatch.setattr(guided, "SEEDS", 2)

    assert sorted(path.name for path in guided.corpus("gguf", tmp_path / "c").iterdir()) == ["seed-0", "seed-1"]
    (tmp_path / "c" / "seed-1").unlink()
    assert len(list(guided.corpus("gguf", tmp_path / "c").iterdir())) == 1


def test_conversations_are_json():
    source = Texts(random.Random(1))
    for seed in range(50):
        made = chats.conversation(random.Random(seed), source)
        assert json.loads(json.dumps(made)) == made
