"""Texts in parts and files: the ids of the whole, written complete or not at all."""

import io
import itertools
import os
import subprocess
import sys
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenizers_lite
from tokenizers_lite import TextError, VocabError, files
from tokenizers_lite.cli import main

TEXT = "Hello, world! 你好，世界。\n\n  naïve 😀 <|im_end|> 12345\n" * 60


@pytest.fixture(scope="module", params=["qwen3", "bge-small-en", "phi3.5"])
def tokenizer(request):
    return tokenizers_lite.load(request.param)


def numbers(path, code):
    ids = array(code)
    ids.frombytes(path.read_bytes())
    return ids.tolist()


@given(st.lists(st.integers(0, len(TEXT)), max_size=8).map(sorted), st.integers(20, 3000))
@settings(max_examples=30)
def test_a_stream_has_the_ids_of_the_text(tokenizer, places, window):
    parts = [TEXT[a:b] for a, b in itertools.pairwise([0, *places, len(TEXT)])]
    found = files.encode_stream(tokenizer, parts, window=window)

    assert [id_ for ids in found for id_ in ids] == tokenizer.encode(TEXT)


def test_a_surrogate_pair_may_come_in_two_parts(tokenizer):
    parts = ["a \ud83d", "\ude00 b", " \ud83d"]

    assert [i for ids in files.encode_stream(tokenizer, parts, window=1) for i in ids] == tokenizer.encode(
        "".join(parts)
    )


def test_no_text(tokenizer):
    assert [i for ids in tokenizer.encode_stream([]) for i in ids] == tokenizer.encode("")


def test_a_file_is_written_as_the_smallest_numbers(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK", 7)  # characters lie across the borders of blocks
    source, target = tmp_path / "text.txt", tmp_path / "ids.bin"
    source.write_bytes(TEXT.encode())
    ids = tokenizer.encode(TEXT)
    small = tokenizer.vocab_size <= 1 << 16

    assert tokenizer.encode_file(source, target) == (len(ids), "uint16" if small else "uint32")
    assert numbers(target, "H" if small else "I") == ids
    assert tokenizer.encode_file(io.BytesIO(TEXT.encode()), target, dtype="uint32") == (len(ids), "uint32")
    assert numbers(target, "I") == ids
    assert sorted(os.listdir(tmp_path)) == ["ids.bin", "text.txt"]


def test_numbers_that_are_too_small_are_refused(tmp_path):
    tokenizer = tokenizers_lite.load("qwen3")

    with pytest.raises(VocabError, match="uint32"):
        tokenizer.encode_file(io.BytesIO(b"a"), tmp_path / "ids.bin", dtype="uint16")
    with pytest.raises(ValueError, match="uint16, uint32"):
        tokenizer.encode_file(io.BytesIO(b"a"), tmp_path / "ids.bin", dtype="int8")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("block", [1, 3, 64])
@pytest.mark.parametrize(("data", "offset"), [(b"abc\xff", 3), ("é".encode() + b"\xe4\xbd", 2), (b"\xe4\xbdx", 0)])
def test_bytes_that_are_not_utf8_are_named(tokenizer, tmp_path, monkeypatch, block, data, offset):
    monkeypatch.setattr(files, "_BLOCK", block)

    with pytest.raises(TextError, match=f"byte {offset} ") as caught:
        tokenizer.encode_file(io.BytesIO(data), tmp_path / "ids.bin")
    assert caught.value.offset == offset
    assert os.listdir(tmp_path) == []
    count, _ = tokenizer.encode_file(io.BytesIO(data), tmp_path / "ids.bin", errors="replace")
    assert count == len(tokenizer.encode(data.decode("utf-8", "replace")))


def test_a_disk_that_loses_bytes_is_noticed(tmp_path):
    path = tmp_path / "ids.bin"
    path.write_bytes(b"\0\0")

    with pytest.raises(OSError, match="check the disk"):
        files._verify(str(path), 4, 0)


def test_the_command(tmp_path, capfdbinary, monkeypatch):
    target = tmp_path / "ids.bin"
    (tmp_path / "text.txt").write_bytes(TEXT.encode())
    ids = tokenizers_lite.load("smollm2").encode(TEXT)

    assert main(["encode-file", "-m", "smollm2", str(tmp_path / "text.txt"), "-o", str(target)]) == 0
    assert capfdbinary.readouterr().out == f"{len(ids):,} ids as uint16 in {target}\n".encode()
    assert numbers(target, "H") == ids


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell a process's memory")
def test_memory_does_not_grow_with_the_file(tmp_path):
    code = (
        "import resource, sys, tokenizers_lite\n"
        "parts = (sys.argv[1] for _ in range(int(sys.argv[2])))\n"
        "for ids in tokenizers_lite.load('smollm2').encode_stream(parts): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = [
        int(subprocess.run([sys.executable, "-c", code, TEXT, str(n)], capture_output=True, check=True).stdout)
        for n in (250, 750)  # one and three MB
    ]

    assert peaks[1] < peaks[0] * 1.2
