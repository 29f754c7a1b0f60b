"""convert and its proof: what is written, what is refused, what stays."""

import json
import subprocess
import sys

import pytest

from tests.converters import tiny
from tests.paths import ROOT, shared_vocab
from tokenizers_lite.errors import LossyExportError, SpecError
from vocab_converters import _convert, cases, convert, diff, emulate_file, fidelity, inspect, verify
from vocab_converters._binary import replacing
from vocab_converters.emulate import NATIVE


@pytest.fixture(scope="module")
def exact():
    """A tokenizer that .mtok holds without loss."""
    return tiny.spec_of(tiny.byte_level())


@pytest.fixture(scope="module")
def lossy():
    """One whose normalizer no reader has."""
    return tiny.spec_of(tiny.byte_level(normalizer="NFC"))


def test_an_exact_export_is_written_with_its_manifest(tmp_path, exact):
    path = tmp_path / "vocab.mtok"

    report = convert(exact, path, reader="native-llm")

    ids = emulate_file(path, NATIVE).encode("Hello <|im_end|>")
    assert ids == tiny.byte_level().encode("Hello <|im_end|>").ids
    manifest = json.loads((tmp_path / "vocab.mtok.manifest.json").read_text())
    assert report.exact
    assert (manifest["target"], manifest["reader"]) == ("mtok", "native-llm")
    assert manifest["file"]["size"] == path.stat().st_size
    assert manifest["report"]["exact"] is True
    assert sorted(file.name for file in tmp_path.iterdir()) == ["vocab.mtok", "vocab.mtok.manifest.json"]


def test_loss_raises_and_leaves_the_old_file(tmp_path, lossy):
    path = tmp_path / "vocab.mtok"
    path.write_bytes(b"old")

    with pytest.raises(LossyExportError) as error:
        convert(lossy, path)

    report = error.value.report
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["vocab.mtok"]
    assert report.causes[0].name == "no normalization"
    assert report.causes[0].remedy
    assert any(loss.field == "normalizer" for loss in report.losses)
    assert "no normalization" in str(error.value)


def test_loss_is_written_when_allowed(tmp_path, lossy):
    path = tmp_path / "vocab.mtok"

    report = convert(lossy, path, allow_loss=True, manifest=False)

    assert not report.exact
    assert emulate_file(path, "mnn").encode("a")
    assert json.loads(json.dumps(report.to_json()))["differing"] == report.differing > 0


def test_a_failure_on_the_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted():
        with replacing(str(path)) as (file, _):
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_killed_export_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys\n"
        "from vocab_converters._binary import replacing\n"
        "with replacing(sys.argv[1]) as (file, _):\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False)

    assert done.returncode != 0
    assert path.read_bytes() == b"old"


def test_a_replaced_file_keeps_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)

    with replacing(str(path)) as (file, _):
        file.write(b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_proven_is_the_file_not_the_intention(tmp_path, exact, monkeypatch):
    """A byte that changes between writing and reading back must be noticed."""
    path = tmp_path / "vocab.mtok"

    def damaged(name):
        with open(name, "rb") as file:
            return file.read().replace(b"the", b"teh", 1)

    monkeypatch.setattr(_convert, "read_limited", damaged)

    with pytest.raises((LossyExportError, SpecError)):
        convert(exact, path, target="mtok")
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "reader", "target"),
    [
        (tiny.byte_level, "auto", "mtok"),
        (tiny.byte_level, "mnn-llm", "mnn-text:huggingface"),
        (tiny.marker, "mnn", "mtok"),
        (tiny.marker, "mnn-llm", "mnn-text:sentencepiece"),
        (tiny.wordpiece, "mnn", "mtok"),
    ],
)
def test_auto_picks_a_target_and_says_why(make, reader, target):
    source = _convert.open_source(tiny.spec_of(make()))

    built, why = _convert.choose(source, _convert.Request("auto", reader))

    assert built.target == target
    assert "texts" in why[1]


@pytest.mark.parametrize("name", ["out.json", "out.tiktoken", "out.mtok", "out.tokc"])
def test_the_extension_names_the_target(tmp_path, exact, name):
    report = convert(exact, tmp_path / name, manifest=False, allow_loss=True)

    wanted = {"json": "tokenizer.json", "tokc": "compact"}
    extension = name.split(".")[1]
    assert report.target == wanted.get(extension, extension)
    assert report.differing == 0


def test_unknown_names_are_refused(tmp_path, exact):
    for options in ({"target": "onnx"}, {"reader": "llama.cpp"}, {"target": "mtok", "tail": "x"}):
        with pytest.raises(SpecError):
            convert(exact, tmp_path / "x", **options)


def test_mnn_llm_gets_no_mtok(tmp_path, exact):
    with pytest.raises(SpecError, match="mnn-text"):
        convert(exact, tmp_path / "x", target="mtok", reader="mnn-llm")


def test_the_users_cases_count(tmp_path, lossy):
    good, bad = tmp_path / "good.txt", tmp_path / "bad.jsonl"
    good.write_text("plain\n")
    bad.write_text('{"text": "e\\u0301"}\n{"text": "x", "ids": [99999]}\n')
    convert(lossy, tmp_path / "v.mtok", allow_loss=True)

    groups = {g.name: g for g in verify(tmp_path / "v.mtok", lossy, cases=good, whole_vocabulary=False).groups}
    assert (groups["user"].texts, groups["user"].differing) == (1, 0)
    groups = {g.name: g for g in verify(tmp_path / "v.mtok", lossy, cases=bad, whole_vocabulary=False).groups}
    assert (groups["user"].texts, groups["user"].differing) == (2, 2)


@pytest.mark.parametrize(("name", "text"), [("x.jsonl", "{"), ("x.jsonl", "5"), ("x.jsonl", '{"ids": []}')])
def test_bad_case_files_name_the_line(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(f'"fine"\n{text}\n')

    with pytest.raises(SpecError, match="line 2"):
        cases.from_file(str(path))


def test_mnns_test_cases(tmp_path, exact):
    convert(exact, tmp_path / "tokenizer.mtok", reader="mnn", test_cases=True)
    lines = [json.loads(line) for line in (tmp_path / "test_cases.jsonl").read_text("utf-8").split("\n") if line]
    emulated = emulate_file(tmp_path / "tokenizer.mtok", "mnn")

    assert {line["type"] for line in lines} == {"basic"}
    for line in lines:
        assert emulated.encode(line["input"]) in (line["ids_raw"], line["ids_full"])
        assert emulated.decode(line["ids_raw"]).decode() == line["decoded_full"]


def test_inspect_warns_of_a_stock_file():
    info = inspect(shared_vocab("hunyuan-mt") / "vocab_Hunyuan_MT.txt")

    assert info.facts["format"] == "430 4 (PIPELINE)"
    assert info.facts["merges"] == 119758
    assert any("outside the vocabulary" in text for text in info.warnings)


def test_inspect_is_silent_about_our_own_file(tmp_path, exact):
    convert(exact, tmp_path / "v.mtok", reader="mnn")

    assert inspect(tmp_path / "v.mtok").warnings == ()


def test_diff_of_a_file_and_its_source(tmp_path, exact):
    path = tmp_path / "v.mtok"
    convert(exact, path)

    assert diff(exact, path).differing == 0
    assert diff(path, path, reader="mnn").differing == 0


def test_wrong_tokens():
    assert fidelity.wrong_tokens([1, 2, 3], [1, 2, 3]) == 0
    assert fidelity.wrong_tokens([1, 2, 3], [1, 3]) == 1
    assert fidelity.wrong_tokens([1, 2], [1, 9, 9, 2]) == 1


def test_progress_reaches_the_end(tmp_path, exact):
    seen = []

    convert(exact, tmp_path / "v.mtok", progress=lambda label, done, total: seen.append((done, total)))

    assert seen[-1][0] == seen[-1][1] > 400


def test_the_report_says_what_prints_changed(tmp_path):
    spec = tiny.spec_of(tiny.marker())

    text = convert(spec, tmp_path / "v.txt", target="mnn-text", reader="mnn", allow_loss=True, manifest=False)
    mtok = convert(spec, tmp_path / "v.mtok", reader="mnn", allow_loss=True, manifest=False)

    assert text.decoding.differing > 0
    assert "▁" in text.decoding.shown  # a reader turns only the first of two markers into a blank
    assert "print changed" in str(text)
    assert (mtok.decoding.differing, mtok.decoding.texts > 50) == (0, True)
