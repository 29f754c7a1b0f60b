"""Replacing a model: whenever the process dies, the old one or the new one is there, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import write_folder

from runtime import install
from runtime.errors import BusyError, ModelFileError
from runtime.export import export
from runtime.generator import Settings
from runtime.model import load
from runtime.quantize import quantize

SHORT = Settings(max_new_tokens=6, stop_ids=())
ROOT = Path(__file__).parents[2]


def write_model(folder: Path, seed: int) -> Path:
    """A model whose tokenizer fits no other: the same words have other ids."""
    write_folder(folder, "llama", seed)
    vocab = {f"w{(number * 5 + seed) % 128}": number for number in range(128)}
    spec = {"model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"}, "pre_tokenizer": {"type": "Whitespace"}}
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    return folder


def answer(folder: Path) -> list[int]:
    return load(folder).generate_ids("w7 w30 w99 w2", SHORT)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    base = tmp_path_factory.mktemp("sources")
    return [write_model(base / str(seed), seed) for seed in (1, 2)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed by forking")
@pytest.mark.parametrize("how", ["export", "quantize"])
def test_a_process_that_dies_at_any_change_leaves_the_old_or_the_new_model(sources, tmp_path, how):
    old, new = tmp_path / "old", sources[1]
    export(sources[0], old)
    if how == "quantize":
        new = tmp_path / "new"
        export(sources[1], new)
    (tmp_path / "states").mkdir()
    code = ROOT / "tests" / "runtime" / "killed.py"
    done = subprocess.run(
        [sys.executable, str(code), str(old), str(new), str(tmp_path / "states")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states = sorted((tmp_path / "states").iterdir(), key=lambda path: int(path.name))
    before, after = answer(old), answer(states[-1])

    found = [answer(state) for state in states]

    switch = found.index(after)
    assert before != after
    assert 5 < switch < len(states) - 3  # it died both while writing and while installing
    assert found == [before] * switch + [after] * (len(states) - switch)
    for state in states[:2] + states[switch - 1 : switch + 4] + states[-2:]:
        export(sources[0], state)
        assert answer(state) == before
        assert sorted(path.name for path in state.iterdir()) == ["model.onnx", "model.onnx.data", "tokenizer.json"]
        assert install.beside(str(state / "model.onnx")) == ""


def test_names_are_those_of_a_first_export_however_often_it_is_repeated(sources, tmp_path):
    for _ in range(3):
        export(sources[0], tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data", "tokenizer.json"]
    assert (tmp_path / "model.onnx.data").stat().st_nlink == 1


def test_without_hard_links_the_files_are_copied(sources, tmp_path, monkeypatch):
    export(sources[0], tmp_path / "out")
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links here")))

    export(sources[1], tmp_path / "out")
    monkeypatch.undo()
    export(sources[1], tmp_path / "fresh")

    for name in ("model.onnx", "model.onnx.data"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


def test_a_full_disk_is_named_and_leaves_the_old_model(sources, tmp_path, monkeypatch):
    from runtime.graph.writer import GraphWriter

    export(sources[0], tmp_path)
    before = answer(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(GraphWriter, "stream", full)
    with pytest.raises(ModelFileError, match=r"No space left on device.*choose another folder"):
        export(sources[1], tmp_path)

    assert answer(tmp_path) == before
    assert not list(tmp_path.glob(".export-*"))


def test_a_folder_that_cannot_be_made_is_named(sources, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelFileError, match="the model could not be written"):
        export(sources[0], tmp_path / "file" / "out")


def test_one_export_at_a_time(sources, tmp_path):
    pytest.importorskip("fcntl")

    with install.staged(str(tmp_path)) as staging:
        (Path(staging) / "model.onnx").write_bytes(b"")
        with pytest.raises(BusyError, match="another export is writing here"):
            export(sources[0], tmp_path)


def test_a_quantised_graph_brings_its_own_tokenizer(sources, tmp_path):
    for number, source in enumerate(sources):
        export(source, tmp_path / str(number))
        quantize(tmp_path / str(number), tmp_path / "small", "int8")

    assert (tmp_path / "small" / "tokenizer.json").read_bytes() == (sources[1] / "tokenizer.json").read_bytes()


def test_an_export_in_place_keeps_the_files_of_the_source(tmp_path):
    source = write_model(tmp_path / "model", 3)

    export(source, source)
    export(source, source)

    assert len(answer(source)) == 6
    assert (source / "model.safetensors").exists()


def test_a_configuration_for_genai_goes_with_its_graph(sources, tmp_path):
    from runtime.graph.decoder import GraphOptions

    export(sources[0], tmp_path, GraphOptions(logits="last"))
    assert (tmp_path / "genai_config.json").exists()

    export(sources[0], tmp_path)
    assert not (tmp_path / "genai_config.json").exists()
