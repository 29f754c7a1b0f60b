"""Values of damaged files are told from those that fit a record's fields."""

import pytest

from tokenizers_lite.formats._fields import fits, odd_field
from tokenizers_lite.spec import normalizers, post_processors


@pytest.mark.parametrize(
    ("value", "kind", "fitting"),
    [
        ("a", "str", True),
        (1, "str", False),
        (True, "int", False),
        (1, "bool", False),
        (1, "float | None", True),
        (None, "float | None", True),
        ("1", "float | None", False),
        ((1, 2, 3), "tuple[int, ...]", True),
        ([1], "tuple[int, ...]", False),
        ((), "tuple[str, int]", False),
        ((("a", (1,), ("b",)),), "tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...]", True),
        ((("a", (1,), (2,)),), "tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...]", False),
        ({"a": 1}, "Mapping[str, int]", True),
        ({"a": "b"}, "Mapping[str, int]", False),
        (normalizers.NFC(), "Normalizer | None", True),
        (post_processors.ByteLevel(), "Normalizer | None", False),
        ({"type": "NFC"}, "Normalizer | None", False),
    ],
)
def test_fits(value, kind, fitting):
    assert fits(value, kind) is fitting


def test_the_odd_field_is_named():
    assert odd_field(normalizers.Prepend("▁")) is None
    assert odd_field(normalizers.Prepend(3)) == "prepend"
    assert odd_field(normalizers.Sequence((normalizers.NFC(), {"type": "NFC"}))) == "normalizers"
