"""Long runs merged a rank at a time give what the heap gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite.models import _levels, _runs, bpe

pytest.importorskip("numpy", reason="without it there are no levels")


@st.composite
def pair_tables(draw):
    """Return merges over three symbols; ranks need not grow with the tokens."""
    ids, pairs = [0, 1, 2], {}
    for _ in range(draw(st.integers(0, 12))):
        key = draw(st.sampled_from(ids)) << 32 | draw(st.sampled_from(ids))
        if key not in pairs:
            pairs[key] = len(ids)
            ids.append(len(ids))
    ranks = draw(st.permutations(range(len(pairs)))) if draw(st.booleans()) else range(len(pairs))
    return {key: rank << 32 | merged for (key, merged), rank in zip(pairs.items(), ranks, strict=True)}


runs = st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=3), st.integers(1, 40)), max_size=3)


@given(pair_tables(), runs)
def test_levels_change_no_id(pairs, runs):
    ids = [id_ for unit, count in runs for id_ in unit * count]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_levels, "LONG", 2)
        some = _levels.merge_levels(list(ids), pairs)

    assert bpe.merge(some, pairs) == bpe.merge(list(ids), pairs)


@given(pair_tables(), st.integers(1, 300))
def test_a_run_of_one_symbol_changes_no_id(pairs, count):
    some = _runs.merge_run(0, count, pairs)

    assert bpe.merge(some, pairs) == bpe.merge([0] * count, pairs)


def test_a_run_is_used_up_at_once():
    """Llama 2's blanks in small: four make a token, at a lower rank than two do."""
    pairs = {0: 5 << 32 | 1, 1 << 32 | 1: 2 << 32 | 2}

    assert _runs.merge_run(0, 4_000_003, pairs) == [2] * 1_000_000 + [0, 0, 0]


def test_a_run_is_halved_level_by_level():
    pairs = {n << 32 | n: n << 32 | n + 1 for n in range(20)}

    assert bpe.merge([0] * 5000, pairs) == [12, 9, 8, 7, 3]


def test_a_pair_that_is_there_only_for_a_while_merges_first():
    """Gemma 2's blanks, from a compact file: b (aa) and a become c before the next two a's become b."""
    a, b, c = range(3)
    pairs = {a << 32 | a: 5 << 32 | b, b << 32 | a: 1 << 32 | c}

    assert bpe.merge([a] * 6000, pairs) == [c] * 2000
