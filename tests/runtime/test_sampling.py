"""Choosing tokens: laws of each setting, and the obvious version of top-p as oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import PromptError
from runtime.sampling import Sampler, Sampling, candidates

seeds = st.integers(0, 2**32 - 1)


def logits(seed, size=200):
    return np.random.default_rng(seed).normal(0, 3, size).astype(np.float32)


def obvious(values, sampling):
    """Sort everything, as a textbook does."""
    order = np.argsort(-values, kind="stable")
    if sampling.top_k:
        order = order[: sampling.top_k]
    weights = np.exp((values[order].astype(np.float64) - values.max()) / sampling.temperature)
    weights /= weights.sum()
    if sampling.top_p < 1:
        count = int(np.searchsorted(np.cumsum(weights), sampling.top_p)) + 1
        order, weights = order[:count], weights[:count]
    keep = weights >= sampling.min_p * weights.max()
    return set(order[keep].tolist())


@settings(max_examples=200, deadline=None)
@given(
    seeds,
    st.sampled_from([0, 1, 5, 50, 500]),
    st.floats(0.05, 1),
    st.floats(0, 0.9),
    st.floats(0.1, 3),
)
def test_candidates_are_those_of_a_full_sort(seed, top_k, top_p, min_p, temperature):
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    values = logits(seed)

    ids, weights = candidates(values, sampling)

    assert abs(len(set(ids.tolist()) ^ obvious(values, sampling))) <= 1  # a tie with the boundary may fall either way
    assert len(ids) == len(weights) >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": None},
        {"top_p": 1.1},
        {"top_p": -0.1},
        {"top_k": -1},
        {"top_k": 2.5},
        {"min_p": 2},
        {"repetition_penalty": 0},
        {"presence_penalty": "x"},
        {"seed": -1},
        {"seed": 1.5},
        {"logit_bias": {"a": 1}},
        {"logit_bias": {1: float("nan")}},
        {"logit_bias": {1: float("inf")}},
        {"allowed": [1, 2]},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(PromptError, match=next(iter(wrong))):
        Sampling(**wrong)


def test_numbers_of_numpy_are_numbers():
    made = Sampling(temperature=np.float32(0.5), top_k=np.int64(3), seed=np.int64(7), logit_bias={np.int64(1): 2.0})

    assert 0 <= Sampler(made)(logits(1)) < 200


def test_where_nothing_may_follow_that_is_said():
    with pytest.raises(PromptError, match="leave no token"):
        Sampler(Sampling(logit_bias={3: -np.inf}, allowed=lambda _: [3]))(logits(1))


def test_the_default_is_the_most_likely_token():
    values = logits(1)

    assert Sampler(Sampling())(values) == int(values.argmax())


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_a_seed_makes_draws_repeatable(seed):
    sampling = Sampling(temperature=1.5, top_k=40, seed=seed)
    draws = [[sampler(logits(i)) for i in range(20)] for sampler in (Sampler(sampling), Sampler(sampling))]

    assert draws[0] == draws[1]


def test_draws_follow_the_probabilities():
    values = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32))
    sampler = Sampler(Sampling(temperature=1.0, seed=0))

    counts = np.bincount([sampler(values) for _ in range(6000)], minlength=3) / 6000

    assert np.abs(counts - [0.5, 0.3, 0.2]).max() < 0.03


def test_repetition_penalty_looks_at_the_prompt_and_respects_signs():
    values = np.array([2.0, 1.9, -1.0, -1.1], dtype=np.float32)

    assert Sampler(Sampling(repetition_penalty=1.2), prompt=[0])(values) == 1
    assert Sampler(Sampling(repetition_penalty=1.2), prompt=[2])(np.array([-2, -2, -1, -1.1], np.float32)) == 3


def test_presence_and_frequency_count_what_was_generated_only():
    presence = Sampler(Sampling(presence_penalty=1.0), prompt=[0])
    values = np.array([1.0, 0.5, 0.2], dtype=np.float32)
    assert [presence(values) for _ in range(4)] == [0, 1, 2, 0]

    frequency = Sampler(Sampling(frequency_penalty=0.3))
    assert [frequency(values) for _ in range(5)] == [0, 0, 1, 0, 2]


def test_bias_and_allowed_ids():
    values = logits(3)
    banned = int(values.argmax())

    assert Sampler(Sampling(logit_bias={banned: -100}))(values) != banned
    assert Sampler(Sampling(allowed=lambda ids: [7, 9]))(values) in (7, 9)
    assert Sampler(Sampling(allowed=lambda ids: None))(values) == banned
    assert np.array_equal(values, logits(3))


def test_ids_outside_the_vocabulary_are_refused():
    with pytest.raises(PromptError, match="outside the vocabulary of 200"):
        Sampler(Sampling(logit_bias={500: 1}))(logits(0))
    with pytest.raises(PromptError, match="at least one id"):
        Sampler(Sampling(allowed=lambda ids: []))(logits(0))
