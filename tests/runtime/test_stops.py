"""Stop strings: streaming in any pieces gives the text before the first stop, and nothing of it early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.stops import StopStrings

texts = st.text(alphabet="ab<|é", max_size=40)


@given(texts, st.lists(st.text(alphabet="ab<|é", min_size=1, max_size=4), max_size=3), st.lists(st.integers(1, 5)))
def test_pieces_make_what_the_whole_makes(text, stops, sizes):
    watcher, out, at = StopStrings(stops), "", 0
    for size in [*sizes, 40]:
        out += watcher.push(text[at : at + size])
        at += size
        assert text.startswith(out)
        if watcher.hit is not None:
            break
    out += watcher.finish()

    assert all(stop not in out for stop in stops)
    if watcher.hit is None:
        assert out == text
    else:
        assert text.startswith(out + watcher.hit)


def test_nothing_is_held_back_without_need():
    watcher = StopStrings(["</s>"])

    assert [watcher.push(piece) for piece in ("a<b", "c<", "/", "x")] == ["a<b", "c", "", "</x"]


def test_no_stops_pass_everything():
    assert StopStrings(["", ""]).push("<") == "<"
