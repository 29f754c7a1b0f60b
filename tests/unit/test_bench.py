"""Measuring gives numbers for every model, on the same texts each time."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenizers_lite
from tokenizers_lite import bench, cli, peers

# What starting a process and encoding a short text may not import: it costs more than the rest together.
COSTLY = ("numpy", "jinja2", "regex", "re", "json", "dataclasses", "typing", "inspect", "hashlib", "pathlib", "enum")


@given(st.text("ab\n é", max_size=300), st.integers(2, 50))
def test_documents_put_together_are_the_text(text, size):
    found = bench.documents(text, size)

    assert "".join(found) == text
    assert all(0 < len(part) <= size for part in found)


def test_the_builtin_text_is_always_the_same():
    assert bench.builtin_text(5000) == bench.builtin_text(5000)
    assert len(bench.builtin_text(5000)) == 5000
    assert bench.builtin_text(5000, seed=2) != bench.builtin_text(5000)


def test_median():
    assert bench.median([3, 1, 2]) == 2
    assert bench.median([4, 1, 2, 3]) == 2.5


def test_starts_reports_every_program_and_a_failure():
    found = bench.starts({"bare": "pass", "busy": "sum(range(300_000)); bytearray(30_000_000)"}, rounds=1)

    assert list(found) == ["bare", "busy"]
    if sys.platform != "win32":
        assert found["busy"][2] > found["bare"][2] > 0
    with pytest.raises(subprocess.CalledProcessError):
        bench.starts({"broken": "raise SystemExit(3)"}, rounds=1)


def test_the_command_prints_a_table_and_json(tmp_path, capsys):
    source = tmp_path / "in.txt"
    source.write_text("Hello, world!\n" * 50)

    files = ["--json", str(tmp_path / "out.json"), "--markdown", str(tmp_path / "out.md")]
    assert cli.main(["bench", str(source), "-m", "qwen3", "--rounds", "1", "--alone", *files]) == 0

    said = capsys.readouterr().out
    assert "| qwen3 |" in said
    assert (tmp_path / "out.md").read_text() == said
    assert "library" not in said
    row = json.loads((tmp_path / "out.json").read_text())["rows"][0]
    assert row["tokens"] == tokenizers_lite.load("qwen3").count("Hello, world!\n" * 50)
    assert {"bare", "start", "first", "again", "decode"} <= set(row)


def test_other_libraries_take_part_and_have_the_same_ids(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)  # as if it were not there
    row = bench.measure("bge-small-en", ["Hello, world!\n" * 20, "naïve 你好"], rounds=1)
    peer = row["peers"]["tokenizers"]

    assert peer["differing"] == 0
    assert {f"{what}{end}" for what in bench.WHAT for end in ("", "_ratio")} < set(peer)
    assert min(peer[what] for what in bench.WHAT) > 0
    assert row["peers"]["sentencepiece"] == {"missing": "cannot read this model"}
    assert row["peers"]["tiktoken"]["missing"]
    shown = bench.peer_table([row])
    assert "| bge-small-en | tokenizers | " in shown
    assert "| – | cannot read this model |" in shown


def test_differing_ids_fail_the_command(monkeypatch, capsys):
    engine = peers.Engine("tokenizers", lambda text: [1], lambda ids: "")
    monkeypatch.setattr(peers, "find", lambda *_: [engine])

    assert cli.main(["bench", "-m", "smollm2", "--rounds", "1", "--json", "-"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["rows"][0]["peers"]["tokenizers"]["differing"] > 0
    assert "smollm2 differ" in captured.err


@pytest.mark.parametrize("model", ["qwen3", "qwen2.5", "deepseek-r1-distill-qwen", "qwen3.5", "phi3.5"])
def test_a_short_text_needs_no_costly_module(model):
    code = f"{bench.start_code(model)}\nimport sys\nprint(*[name for name in {COSTLY!r} if name in sys.modules])"

    # -S: site packages may import what they like in .pth files.
    command = [sys.executable, "-S", "-c", code]
    root = cli.__file__.rpartition("tokenizers_lite")[0]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)

    assert done.stderr == ""
    assert done.stdout.split() == []
