"""GGUF and safetensors files: values against the reference writers, damage against typed errors."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.blocks import Tensor
from runtime.errors import ModelFileError
from runtime.gguf import GGUFFile, StringArray
from runtime.safetensors import read_file, read_folder
from runtime.weights import from_gguf

gguf = pytest.importorskip("gguf")
save_file = pytest.importorskip("safetensors.numpy").save_file


@pytest.fixture(scope="module")
def gguf_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_float32("llama.rope.freq_base", 10000.0)
    writer.add_array("llama.pattern", [True, False, True])
    writer.add_token_list(["a", "b", "é"])
    random = np.random.default_rng(0)
    writer.add_tensor("plain", random.normal(size=(3, 64)).astype(np.float32))
    packed = gguf.quants.quantize(random.normal(size=(4, 64)).astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("packed", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_metadata_and_tensors_are_those_of_the_gguf_package(gguf_path):
    ours, theirs = GGUFFile(gguf_path), gguf.GGUFReader(gguf_path)

    assert ours.metadata["general.architecture"] == "llama"
    assert ours.metadata["llama.block_count"] == 2
    assert ours.metadata["llama.pattern"] == [True, False, True]
    assert ours.metadata["tokenizer.ggml.tokens"] == StringArray(3)
    assert set(ours.tensors) == {tensor.name for tensor in theirs.tensors}
    for tensor in theirs.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(ours.tensors[tensor.name].float32(), values)


def test_gguf_metadata_without_the_weights_is_a_gguf_file(gguf_path, tmp_path):
    small = tmp_path / "tokenizer.gguf"
    small.write_bytes(GGUFFile(gguf_path).metadata_only())

    again = GGUFFile(small)

    assert again.metadata == GGUFFile(gguf_path).metadata
    assert again.tensors == {}
    assert gguf.GGUFReader(small).fields["tokenizer.ggml.tokens"].contents() == ["a", "b", "é"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_gguf_is_a_typed_error_or_readable(gguf_path, tmp_path, data):
    good = bytearray(gguf_path.read_bytes())
    at = data.draw(st.integers(0, 400))
    good[at] = data.draw(st.integers(0, 255))
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(good[: data.draw(st.integers(0, len(good)))])

    try:
        tensors = GGUFFile(bad).tensors
    except ModelFileError:
        return
    assert all(tensor.raw.base is not None for tensor in tensors.values())


def test_other_gguf_versions_and_types_are_named(gguf_path, tmp_path):
    good = bytearray(gguf_path.read_bytes())
    old = tmp_path / "old.gguf"
    old.write_bytes(good[:4] + b"\1\0\0\0" + good[8:])

    with pytest.raises(ModelFileError, match=r"version: only little-endian GGUF versions 2 and 3.*got 1"):
        GGUFFile(old)


def test_safetensors_values_are_those_that_were_saved(tmp_path):
    values = {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones((2, 2), np.float16)}
    save_file(values, tmp_path / "model.safetensors", metadata={"format": "pt"})

    read = read_folder(tmp_path)

    assert set(read) == {"a", "b"}
    assert all(np.array_equal(read[name].float32(), values[name].astype(np.float32)) for name in values)


def test_shards_are_joined_and_a_missing_one_is_named(tmp_path):
    save_file({"a": np.ones((1, 2), np.float32)}, tmp_path / "one.safetensors")
    save_file({"b": np.zeros((1, 2), np.float32)}, tmp_path / "two.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}))

    assert set(read_folder(tmp_path)) == {"a", "b"}
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"a shard is missing.*two\.safetensors"):
        read_folder(tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_safetensors_is_a_typed_error_or_readable(tmp_path, data):
    good = tmp_path / "good.safetensors"
    if not good.exists():
        save_file({"a": np.ones((3, 4), np.float32)}, good)
    content = bytearray(good.read_bytes())
    at = data.draw(st.integers(0, len(content) - 49))
    content[at] = data.draw(st.integers(0, 255))
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    with contextlib.suppress(ModelFileError):
        read_file(bad)


def test_an_empty_folder_is_not_a_model(tmp_path):
    with pytest.raises(ModelFileError, match="is this a model folder"):
        read_folder(tmp_path)


def test_a_string_longer_than_any_file_is_named(gguf_path, tmp_path):
    good = gguf_path.read_bytes()
    at = good.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 4 + 4 + 8  # the first token's length
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(good[:at] + b"\xff" * 7 + b"\x7f" + good[at + 8 :])

    with pytest.raises(ModelFileError, match=r"tokenizer\.ggml\.tokens runs past the end of the file"):
        GGUFFile(bad)


@pytest.mark.parametrize(("changed", "value"), [("attention.key_length", 32), ("attention.head_count", 8)])
def test_heads_that_do_not_fit_the_matrices_are_named(gguf_model, changed, value):
    file = gguf_model()
    file.metadata[f"llama.{changed}"] = value

    with pytest.raises(ModelFileError, match="weights and configuration do not belong together"):
        from_gguf(file)


@pytest.fixture
def gguf_model():
    """What from_gguf reads of a tiny llama, without a file."""

    def make():
        names = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output"}
        shapes = {"token_embd": (128, 64), "output_norm": (64,), "blk.0.attn_norm": (64,), "blk.0.ffn_norm": (64,)}
        shapes |= {f"blk.0.{names[part]}": (64, 64) if part in "qo" else (32, 64) for part in names}
        shapes |= {"blk.0.ffn_gate": (96, 64), "blk.0.ffn_up": (96, 64), "blk.0.ffn_down": (64, 96)}
        tensors = {f"{name}.weight": Tensor.of(name, np.ones(shape, np.float32)) for name, shape in shapes.items()}
        keys = {"block_count": 1, "embedding_length": 64, "attention.head_count": 4, "attention.head_count_kv": 2}
        metadata = {f"llama.{key}": value for key, value in {**keys, "feed_forward_length": 96}.items()}
        return SimpleNamespace(path="x.gguf", tensors=tensors, metadata={"general.architecture": "llama", **metadata})

    assert from_gguf(make()).config.head_dim == 16
    return make
