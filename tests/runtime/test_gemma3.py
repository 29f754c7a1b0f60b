"""Gemma 3 270M, real weights in mixed K-quants: torch's tokens, past its window of 512 tokens.

Uses the weights that `TOKENIZERS_LITE_GEMMA3` names or that are in the cache (`tokenizers-lite run gemma3-270m`).
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from runtime.export import export
from runtime.generator import Settings
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import Precision
from runtime.model import load
from runtime.models import KNOWN, cache_folder
from runtime.session import SessionOptions

STORED = json.loads(gzip.decompress((Path(__file__).parent / "reference.json.gz").read_bytes())).get("gemma3", [])
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights():
    if not STORED:
        pytest.skip("reference.json.gz has no part for Gemma 3: run generate_reference.py with its weights")
    place = os.environ.get("TOKENIZERS_LITE_GEMMA3") or os.path.join(
        cache_folder(), "weights", KNOWN["gemma3-270m"].file
    )
    if not os.path.exists(place):
        pytest.skip(
            "no Gemma 3 weights: run `tokenizers-lite run gemma3-270m --raw Hello`, or set TOKENIZERS_LITE_GEMMA3"
        )
    return place


@pytest.mark.parametrize("kind", ["float", "exact"])
def test_graphs_with_float_activations_give_the_tokens_and_logits_of_torch(weights, tmp_path, kind):
    export(weights, tmp_path, GraphOptions(precision=Precision(kind, fast=False), context=1536))
    model = load(tmp_path, tokenizer=False, options=SessionOptions(threads=1))

    assert any(len(stored["ids"]) > 512 for stored in STORED)
    for stored in STORED:
        model.driver.rewind(0)
        logits = np.array(model.driver.feed(stored["ids"]))
        assert np.abs(logits[::997] - np.frombuffer(base64.b64decode(stored["logits"]), "<f4")).max() < 1e-3
        ids = model.generate_ids(stored["ids"], Settings(max_new_tokens=24, stop_ids=()))
        assert ids == stored["greedy"]
