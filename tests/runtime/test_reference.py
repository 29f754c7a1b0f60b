"""Against transformers + torch: stored ids and logits (see generate_reference.py)."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import MODELS, PROMPT

from runtime.forms import open_driver
from runtime.generator import Generator, Settings
from runtime.graph.decoder import GraphOptions

STORED = json.loads(gzip.decompress((Path(__file__).parent / "reference.json.gz").read_bytes()))
FORMS = ["plain", "fused"]


def unpack(text):
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*MODELS, "minicpm"])
def test_logits_are_those_of_torch(export_tiny, name, form):
    stored = STORED["tiny"]["granite" if name == "minicpm" else name]  # the same mathematics, other names
    folder, _ = export_tiny(name, GraphOptions(form=form))
    driver = open_driver(folder)

    logits = driver.all_logits(PROMPT)
    driver.rewind(0)
    longer = driver.feed(PROMPT * 3)

    assert np.abs(logits.reshape(-1) - unpack(stored["logits"])).max() < 1e-3
    assert np.abs(longer - unpack(stored["longer"])).max() < 1e-3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*MODELS, "minicpm"])
def test_greedy_tokens_are_those_of_torch(export_tiny, name, form):
    stored = STORED["tiny"]["granite" if name == "minicpm" else name]
    folder, _ = export_tiny(name, GraphOptions(form=form))

    ids = Generator(open_driver(folder)).generate_ids(PROMPT, Settings(max_new_tokens=12, stop_ids=()))

    # transformers forgets the cache when long rope takes over (modeling_phi3.py, prepare_inputs_for_generation).
    count = 2 if name == "phi3-long" else 12
    assert ids[:count] == stored["greedy"][:count]
