"""The bar is drawn on terminals only and leaves nothing behind."""

import io

import pytest

from tokenizers_lite.progress import Bar, line, wanted


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for name in ("TOKENIZERS_LITE_NO_PROGRESS", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.delenv(name, raising=False)


def test_line_shows_the_share_that_has_arrived():
    assert line("a", 0, 10).startswith("a [........................]   0%")
    assert line("a", 10, 10).startswith("a [########################] 100%")
    assert "100%" in line("a", 20, 10)
    assert line("a", 2_500_000, None) == "a 2.5 MB"


def test_nothing_is_written_where_nobody_looks():
    stream = io.StringIO()
    with Bar("a", 10, stream) as bar:
        bar.update(10)
    assert stream.getvalue() == ""
    assert bar.done == 10


@pytest.mark.parametrize("name", ["TOKENIZERS_LITE_NO_PROGRESS", "HF_HUB_DISABLE_PROGRESS_BARS"])
def test_bars_can_be_switched_off(name, monkeypatch):
    assert wanted(Terminal())
    monkeypatch.setenv(name, "1")
    assert not wanted(Terminal())


def test_a_closed_stream_is_not_drawn_on(tmp_path):
    with open(tmp_path / "out", "w") as stream:
        pass
    assert not wanted(stream)


def test_the_line_is_cleared_at_the_end():
    stream = Terminal()
    with Bar("file", 10, stream) as bar:
        bar.update(5)
    drawn = stream.getvalue()
    assert "50%" in drawn
    assert drawn.endswith("\r")
    assert drawn.split("\r")[-2].strip() == ""
    widest = max(len(part) for part in drawn.split("\r"))
    assert len(drawn.split("\r")[-2]) == widest
