"""Fused graphs in onnxruntime-genai: the tokens of torch."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import MODELS, PROMPT

from runtime.graph.decoder import GraphOptions

genai = pytest.importorskip("onnxruntime_genai")
STORED = json.loads(gzip.decompress((Path(__file__).parent / "reference.json.gz").read_bytes()))["tiny"]


@pytest.mark.parametrize("logits", ["last", "all"])
@pytest.mark.parametrize("name", [name for name in [*MODELS, "minicpm"] if name != "phi3-long"])
def test_genai_gives_the_tokens_of_torch(export_tiny, name, logits):
    folder, _ = export_tiny(name, GraphOptions(logits=logits))
    model = genai.Model(str(folder))
    search = genai.GeneratorParams(model)
    search.set_search_options(max_length=len(PROMPT) + 12, do_sample=False)
    generator = genai.Generator(model, search)
    generator.append_tokens(np.array([PROMPT], dtype=np.int32))

    ids = []
    while not generator.is_done():
        generator.generate_next_token()
        ids.append(int(generator.get_next_tokens()[0]))

    expected = STORED["granite" if name == "minicpm" else name]["greedy"]
    assert ids
    assert ids == expected[: len(ids)]
    assert len(ids) == 12 or ids[-1] == 2  # genai ends at the stop id
