"""NormalizedString: laws of alignments, and tokenizers' oddities by example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite.normalized import NormalizedString

TEXTS = st.text("aéÅ\u0301中😀 ", max_size=12)


def origins(text: NormalizedString) -> list[tuple[int, int]]:
    return list(zip(text.starts, text.ends, strict=True))


@given(TEXTS, st.integers(0, 5))
def test_unchanged_text_maps_to_itself(text, base):
    string = NormalizedString.of(text, base)

    assert origins(string) == [(base + i, base + i + 1) for i in range(len(text))]
    assert string.offsets() == (base, base + len(text))


@given(TEXTS, st.data())
def test_slices_of_slices_are_slices(text, data):
    a = data.draw(st.integers(0, len(text)))
    b = data.draw(st.integers(a, len(text)))
    c = data.draw(st.integers(0, b - a))
    d = data.draw(st.integers(c, b - a))
    string = NormalizedString.of(text)

    inner = string.slice(a, b).slice(c, d)
    direct = string.slice(a + c, a + d)

    assert (inner.text, origins(inner)) == (direct.text, origins(direct))
    if c < d:
        assert inner.offsets() == direct.offsets() == (a + c, a + d)


@given(TEXTS, st.sets(st.sampled_from("aé\u0301中😀 ")))
def test_filter_keeps_origins_of_what_stays(text, dropped):
    filtered = NormalizedString.of(text).filter(lambda char: char not in dropped)

    assert filtered.text == "".join(char for char in text if char not in dropped)
    assert origins(filtered) == [(i, i + 1) for i, char in enumerate(text) if char not in dropped]


@given(TEXTS, st.text("xé", max_size=3))
def test_prepend_and_append_share_the_neighbours_range(text, added):
    string = NormalizedString.of(text)
    before, after = string.prepend(added), string.append(added)

    if not text:
        assert (before.text, after.text) == ("", added)
        return
    assert (before.text, after.text) == (added + text, text + added)
    if added:
        assert origins(before) == [(0, 1)] * len(added) + origins(string)
    assert origins(after) == origins(string) + [(len(text) - 1, len(text))] * len(added)


def test_transform_inserts_replaces_and_drops():
    string = NormalizedString.of("abcdef")

    changed = string.transform([("B", 0), ("+", 1), ("C", -2), ("f", 0)], initial=1)

    assert changed.text == "B+Cf"
    assert origins(changed) == [(1, 2), (1, 2), (2, 3), (5, 6)]


def test_replaced_text_takes_the_range_of_the_last_replaced_character():
    changed = NormalizedString.of("a bc d").replace([(0, 2), (3, 3), (4, 5)], "xy")

    assert changed.text == "xybxycxyd"
    assert origins(changed) == [(1, 2)] * 2 + [(2, 3)] * 3 + [(3, 4)] + [(4, 5)] * 2 + [(5, 6)]


def test_text_inserted_at_the_start_stands_for_nothing():
    changed = NormalizedString.of("ab", 3).replace([(0, 0)], "x")

    assert origins(changed) == [(3, 3), (3, 4), (4, 5)]


def test_transform_repeats_a_start_that_stands_for_nothing():
    """As tokenizers does: the changes begin behind the part without origin."""
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    sequence = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Replace(tokenizers.Regex("^"), "x"), tokenizers.normalizers.StripAccents()]
    )
    text = "Ab\u0301"

    changed = NormalizedString.of(text).replace([(0, 0)], "x").filter(lambda char: char != "\u0301")

    assert changed.text == sequence.normalize_str(text) == "xxAb"


def test_slice_without_origin_keeps_its_text_when_transformed():
    piece = NormalizedString.of("ab").replace([(0, 0)], "x").slice(0, 1)

    assert piece.offsets() == (0, 0)
    assert piece.transform([("y", 0)]).text == "yx"
