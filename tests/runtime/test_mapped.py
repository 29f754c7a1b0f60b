"""Which mappings are given back, and that what was mapped reads as before."""

from __future__ import annotations

import mmap
import sys

import pytest
from tiny_models import PROMPT

from runtime.forms import open_driver
from runtime.mapped import release_beside, unchanged

CLEAN = """\
7f0000000000-7f0000004000 r--p 00001000 fd:01 77                         /models/a b/model.onnx.data
Size:                 16 kB
Rss:                  16 kB
Shared_Dirty:          0 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd mr mw me
"""
HEAP = "55d000000000-55d000001000 rw-p 00000000 00:00 0 \nSize: 4 kB\nAnonymous: 4 kB\nVmFlags: rd wr\n"


def test_clean_mappings_of_files_are_found():
    found = list(unchanged((HEAP + CLEAN + HEAP).splitlines(keepends=True)))

    assert found == [(0x7F0000000000, 0x7F0000004000, "/models/a b/model.onnx.data")]


@pytest.mark.parametrize("field", ["Anonymous", "Swap"])
def test_mappings_with_a_written_page_are_left_alone(field):
    lines = [f"{field}: 4 kB\n" if line.startswith(field) else line for line in CLEAN.splitlines(keepends=True)]

    assert list(unchanged(lines)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="mappings are listed on Linux only")
@pytest.mark.parametrize("written", [False, True])
def test_a_released_mapping_reads_as_before(tmp_path, written):
    size = 1 << 20
    (tmp_path / "model.onnx.data").write_bytes(b"\7" * size)
    with (
        open(tmp_path / "model.onnx.data", "r+b") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) as data,
    ):
        assert sum(data[::4096]) == 7 * 256
        if written:
            data[0] = 9

        told = release_beside(str(tmp_path / "model.onnx"))

        assert told == (0 if written else size)
        assert data[0] == (9 if written else 7)
        assert data[:][1:] == b"\7" * (size - 1)


def test_a_graph_whose_pages_are_dropped_again_gives_the_same(export_tiny):
    folder, _ = export_tiny("llama")
    driver = open_driver(folder)
    before = driver.all_logits(PROMPT).copy()

    release_beside(driver.graph.path)
    driver.rewind(0)

    assert (driver.all_logits(PROMPT) == before).all()
