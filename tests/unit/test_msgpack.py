"""The MessagePack subset: round trips, and nothing but SpecError on bad bytes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite._msgpack import packb, unpackb
from tokenizers_lite.errors import SpecError

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    st.binary(max_size=40),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=20), st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=30,
)


@given(values)
def test_round_trip(value):
    assert unpackb(packb(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_spec_error(data):
    with contextlib.suppress(SpecError):
        unpackb(data)


@given(values, st.data())
def test_a_cut_is_noticed(value, data):
    packed = packb(value)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(SpecError):
        unpackb(packed[:cut])


@pytest.mark.parametrize("data", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 100 + b"\xc0", b"\xc1"])
def test_small_files_cannot_ask_for_much(data):
    with pytest.raises(SpecError):
        unpackb(data)


def test_documented_bytes():
    assert packb({"a": [1, None, True, "é"]}) == b"\x81\xa1a\x94\x01\xc0\xc3\xa2\xc3\xa9"
