"""Every difference that was ever found, as its smallest input, holds."""

import pytest

pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

from fuzz import laws, store

CASES = store.cases()
pinned = pytest.mark.skipif(laws.tokenizers.__version__ != laws.PINNED, reason="another tokenizers than the pinned one")


def test_the_store_holds_cases_of_every_kind():
    assert {case["law"] for _, case in CASES} >= {"encode", "alone", "file"}


@pinned
@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_a_case_holds(name, case):
    try:
        wrong = store.check(case)
    except FileNotFoundError as err:
        pytest.skip(str(err))

    assert wrong is None, f"{case['component']}: {case['note']}"


def test_adding_names_a_case_by_its_content(tmp_path):
    case = {"law": "encode", "spec": {"model": None}, "input": {"text": "a"}, "wrong": "not kept"}

    first = store.add(case, "models.bpe", "why", tmp_path)
    again = store.add(case, "models.bpe", "why", tmp_path)

    assert first == again
    assert store.cases(tmp_path) == [
        (first.stem, {"component": "models.bpe", "note": "why", "law": "encode", "spec": {"model": None},
                      "input": {"text": "a"}})
    ]  # fmt: skip
