"""The commands: exit codes, output, files."""

import json
import subprocess
import sys

import pytest

from tests.converters import tiny
from vocab_converters.cli import main
from vocab_converters.tokenizer_json import write_json


@pytest.fixture
def source(tmp_path):
    """A folder with a tokenizer.json that .mtok holds without loss."""
    path = tmp_path / "tokenizer.json"
    path.write_bytes(write_json(tiny.spec_of(tiny.byte_level()))[0])
    return str(path)


def test_convert_inspect_verify_diff(tmp_path, source, capfd):
    out = str(tmp_path / "vocab_Tiny.txt")

    assert main(["convert", source, "-o", out, "--reader", "native-llm"]) == 0
    assert "exact on all texts" in capfd.readouterr().out
    assert main(["inspect", out]) == 0
    assert "430 4 (PIPELINE)" in capfd.readouterr().out
    assert main(["verify", out, source, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["exact"] is True
    assert main(["diff", source, out]) == 0


def test_text_target(tmp_path, source):
    out = tmp_path / "vocab.txt"

    assert main(["convert", source, "--to", "mnn-text", "-o", str(out), "--no-manifest"]) == 0
    assert out.read_bytes().startswith(b"430 3\n")


def test_loss_is_exit_code_1_and_writes_nothing(tmp_path, source, capfd):
    out = tmp_path / "vocab.txt"

    assert main(["convert", source, "--to", "mnn-text:tiktoken", "-o", str(out)]) == 1
    streams = capfd.readouterr()
    assert not out.exists()
    assert "longest match instead of merges" in streams.out
    assert "--allow-loss" in streams.err

    assert main(["convert", source, "--to", "mnn-text:tiktoken", "-o", str(out), "--allow-loss"]) == 1
    assert out.exists()


def test_errors_are_exit_code_2(tmp_path, capfd):
    bad = tmp_path / "bad.mtok"
    bad.write_bytes(b"430 4\n0 0 0\n\n\x09")

    assert main(["inspect", str(bad)]) == 2
    assert "offset" in capfd.readouterr().err
    assert main(["inspect", str(tmp_path / "missing")]) == 2
    with pytest.raises(SystemExit) as error:
        main(["convert"])
    assert error.value.code == 2


def test_help_lists_tasks():
    done = subprocess.run(
        [sys.executable, "-m", "vocab_converters.cli", "--help"], capture_output=True, text=True, check=True
    )

    assert "Native-LLM-for-Android" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_error(source, monkeypatch):
    def closed(*_args, **_options):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("builtins.print", closed)

    with pytest.raises(BrokenPipeError):
        main(["inspect", source])
