"""The generator: text, stops, limits, cancelling, reuse, sampling, statistics, async."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import numpy as np
import pytest
from numpy_forward import greedy
from tiny_models import PROMPT, write_folder
from toy_text import ToyCodec

from runtime.errors import BusyError, ContextOverflowError, PromptError, UnsupportedError
from runtime.export import export
from runtime.forms import open_driver, optimum
from runtime.generator import Generator, Settings
from runtime.graph.decoder import GraphOptions
from runtime.sampling import Sampling
from runtime.session import SessionOptions, ort, run_interruptibly
from runtime.weights import open_weights

NAIVE = "ORT_GQA_DISABLE_FLASH_ATTENTION"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_folder(folder, "llama", 29)
    for form in ("plain", "fused"):
        export(folder, folder / form, GraphOptions(form=form))
    return folder


@pytest.fixture(scope="module")
def weights(folder):
    return open_weights(folder)


@pytest.fixture(params=["plain", "fused"])
def model(folder, request):
    return Generator(open_driver(folder / request.param), ToyCodec(), stop_ids=(), chunk=4)


ANSWER = Settings(max_new_tokens=30, stop_ids=())


def test_streamed_text_is_the_decoded_answer_and_never_breaks_a_character(model):
    stream = model.stream(PROMPT, ANSWER)
    pieces = list(stream)

    assert "".join(pieces) == stream.text == ToyCodec().decode(stream.ids)
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in ToyCodec().decode(stream.ids)


def test_a_stop_string_ends_the_answer_and_is_not_shown(model):
    whole = model.generate(PROMPT, ANSWER)
    stop = whole[6:8]

    stream = model.stream(PROMPT, Settings(max_new_tokens=30, stop_ids=(), stop=(stop,)))

    assert "".join(stream) == whole[: whole.index(stop)]
    assert stream.stats.finish_reason == "stop"


def test_ids_passed_as_text_are_encoded(model):
    assert model.generate("hello", ANSWER) == model.generate(ToyCodec().encode("hello"), ANSWER)


def test_max_new_tokens_and_statistics(model):
    stream = model.stream(PROMPT, Settings(max_new_tokens=5, stop_ids=()))
    ids = list(stream.tokens())
    stats = stream.stats

    assert len(ids) == stats.new_tokens == 5
    assert stats.finish_reason == "length"
    assert stats.prompt_tokens == len(PROMPT)
    assert 0 < stats.prefill_seconds <= stats.first_token_seconds
    assert stats.prefill_rate > 0
    assert stats.decode_rate > 0
    assert "5 new" in str(stats)


@pytest.mark.parametrize("chunk", [1, 3, 256])
def test_chunked_prefill_gives_the_same_tokens(model, weights, chunk):
    model.chunk = chunk

    assert model.generate_ids(PROMPT, Settings(max_new_tokens=10, stop_ids=())) == greedy(weights, PROMPT, 10)


def test_cancelling_between_tokens_leaves_a_usable_state(model, weights):
    stream = model.stream(PROMPT, ANSWER)
    seen = []
    for token in stream.tokens():
        seen.append(token)
        if len(seen) == 3:
            stream.cancel()

    assert seen == greedy(weights, PROMPT, 3)
    assert stream.stats.finish_reason == "cancelled"
    again = model.stream(PROMPT + seen, Settings(max_new_tokens=4, stop_ids=()))
    assert list(again.tokens()) == greedy(weights, PROMPT + seen, 4)
    assert again.stats.reused_tokens >= len(PROMPT)


def test_cancelling_during_the_prompt_keeps_the_chunks_done(model, weights):
    stream = model.stream(PROMPT * 4, ANSWER)
    feed, calls = model.driver.feed, []

    def counting(ids, options=None):
        calls.append(len(ids))
        if len(calls) == 2:
            stream.cancel()
        return feed(ids, options)

    model.driver.feed = counting
    assert list(stream.tokens()) == []
    model.driver.feed = feed

    assert calls == [4, 4]
    assert stream.stats.finish_reason == "cancelled"
    again = model.stream(PROMPT * 4, Settings(max_new_tokens=3, stop_ids=()))
    assert list(again.tokens()) == greedy(weights, PROMPT * 4, 3)
    assert again.stats.reused_tokens == 8


def test_an_error_inside_a_run_forgets_the_cache_and_nothing_else(model, weights):
    model.generate_ids(PROMPT, ANSWER)
    feed = model.driver.feed

    def failing(ids, options=None):
        feed(ids, options)
        raise KeyboardInterrupt

    model.driver.feed = failing
    with pytest.raises(KeyboardInterrupt):
        model.generate_ids(PROMPT[:5], ANSWER)
    model.driver.feed = feed

    assert model.generate_ids(PROMPT, Settings(max_new_tokens=5, stop_ids=())) == greedy(weights, PROMPT, 5)


def test_a_long_run_ends_after_ctrl_c():
    stopped = threading.Event()

    def run(options):
        while not options.terminate:
            time.sleep(0.01)
        stopped.set()

    def interrupt():
        time.sleep(0.2)
        import _thread

        _thread.interrupt_main()

    # A process started in the background ignores Ctrl-C until it is told not to.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            run_interruptibly(run)
    finally:
        signal.signal(signal.SIGINT, before)

    assert stopped.is_set()


def test_one_answer_at_a_time(model):
    first = model.stream(PROMPT, ANSWER)
    tokens = first.tokens()
    next(tokens)

    with pytest.raises(BusyError, match="not finished"):
        model.generate_ids(PROMPT, ANSWER)
    tokens.close()
    assert len(model.generate_ids(PROMPT, ANSWER)) == 30


def test_overflow_policies(folder, weights):
    model = Generator(open_driver(folder / "fused", max_length=20))

    with pytest.raises(ContextOverflowError, match="lower max_new_tokens"):
        model.stream(PROMPT, Settings(max_new_tokens=30, overflow="error"))
    stream = model.stream(PROMPT, Settings(max_new_tokens=30, stop_ids=(), overflow="stop"))
    assert list(stream.tokens()) == greedy(weights, PROMPT, 20 - len(PROMPT) + 1)
    assert stream.stats.finish_reason == "context"
    with pytest.raises(ContextOverflowError, match="21 tokens do not fit the context of 20"):
        model.stream([1] * 21)
    with pytest.raises(PromptError, match="overflow must be one of"):
        Settings(overflow="wrap")
    with pytest.raises(PromptError, match="max_length must be positive"):
        open_driver(folder / "fused", max_length=-1)


def test_sampling_is_repeatable_and_batches_sample_alike(model):
    settings = Settings(max_new_tokens=12, stop_ids=(), sampling=Sampling(temperature=1.0, top_k=20, seed=5))
    alone = model.generate_ids(PROMPT, settings)

    assert alone == model.generate_ids(PROMPT, settings)
    assert model.generate_batch([PROMPT, PROMPT[:5]], settings)[0] == alone


def test_batches_stop_one_by_one(model, weights):
    answer = greedy(weights, PROMPT, 8)
    settings = Settings(max_new_tokens=8, stop_ids=(answer[3],))

    together = model.generate_batch([PROMPT, PROMPT[:4]], settings)

    assert together[0] == answer[: answer.index(answer[3])]
    assert together == [model.generate_ids(prompt, settings) for prompt in (PROMPT, PROMPT[:4])]


@pytest.mark.parametrize("form", ["plain", "fused"])
@pytest.mark.parametrize("most", [0, 5, 12])
def test_each_answer_of_a_batch_has_the_room_it_has_alone(folder, form, most):
    model = Generator(open_driver(folder / form, max_length=16))
    settings = Settings(max_new_tokens=most, stop_ids=())
    prompts = [PROMPT, PROMPT[:3], (PROMPT * 2)[:16], PROMPT[:9]]

    together = model.generate_batch(prompts, settings)

    assert together == [model.generate_ids(prompt, settings) for prompt in prompts]


def test_async_iteration_leaves_the_loop_free(model):
    async def listen():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(tick())
        stream = model.stream(PROMPT, ANSWER)
        text = "".join([piece async for piece in stream])
        task.cancel()
        return text, ticks

    text, ticks = asyncio.run(listen())

    assert text == model.generate(PROMPT, ANSWER)
    assert ticks > 1


def test_leaving_an_async_loop_frees_the_model(model):
    async def listen():
        stream = model.stream(PROMPT, ANSWER)
        pieces = aiter(stream)
        await anext(pieces)
        await pieces.aclose()

    asyncio.run(listen())

    assert len(model.generate_ids(PROMPT, ANSWER)) == 30


def test_without_a_tokenizer_only_ids_go_in(folder):
    model = Generator(open_driver(folder / "plain"))

    with pytest.raises(PromptError, match="pass ids"):
        model.stream("text")
    with pytest.raises(PromptError, match=r"iterate over tokens\(\)"):
        list(model.stream(PROMPT))


def test_session_options_reach_onnxruntime(folder):
    options = SessionOptions(threads=1, inter_threads=2, spinning=False, arena=False, optimization="basic")
    native = options.native()

    assert (native.intra_op_num_threads, native.inter_op_num_threads) == (1, 2)
    assert not native.enable_cpu_mem_arena
    assert native.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert len(Generator(open_driver(folder / "fused", options=options)).generate_ids(PROMPT, ANSWER)) == 30


@pytest.mark.parametrize("wrong", [{"threads": -1}, {"inter_threads": 0}, {"optimization": "most"}])
def test_session_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(PromptError, match="must be"):
        SessionOptions(**wrong)


def test_a_graph_of_the_last_logits_cannot_be_measured(folder, tmp_path):
    export(folder, tmp_path, GraphOptions(logits="last"))

    with pytest.raises(UnsupportedError, match="last token only"):
        open_driver(tmp_path).all_logits(PROMPT)


@pytest.mark.parametrize("prompt", [None, 5, [1.5], ["a"], [[1]]])
def test_what_is_neither_text_nor_ids_is_refused(model, prompt):
    with pytest.raises(PromptError, match="sequence of integer ids"):
        model.stream(prompt)


@pytest.mark.parametrize("prompt", [[], "", [-1], [128], [2**40]])
def test_ids_that_cannot_be_fed_are_refused_before_anything_runs(model, prompt):
    model.driver.feed = None

    with pytest.raises(PromptError, match=r"outside the model's vocabulary|no tokens"):
        model.stream(prompt)
    with pytest.raises(PromptError):
        model.generate_batch([PROMPT, prompt])


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": -1},
        {"max_new_tokens": 1.5},
        {"max_new_tokens": None},
        {"stop": [1]},
        {"stop_ids": 5},
        {"stop_ids": ["a"]},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(PromptError, match="must be"):
        Settings(**wrong)


def test_one_stop_string_need_not_be_in_a_list(model):
    whole = model.generate(PROMPT, ANSWER)
    stop = whole[6:8]

    assert model.generate(PROMPT, Settings(max_new_tokens=30, stop_ids=(), stop=stop)) == whole[: whole.index(stop)]


def test_an_answer_is_iterated_once(model):
    stream = model.stream(PROMPT, ANSWER)
    whole = "".join(stream)

    with pytest.raises(PromptError, match="iterated once"):
        list(stream)
    assert stream.text == whole
    assert stream.stats.new_tokens == 30


def test_without_a_limit_the_answer_fills_the_context(folder):
    model = Generator(open_driver(folder / "fused", max_length=20))

    stream = model.stream(PROMPT, Settings(max_new_tokens=0, stop_ids=()))

    assert len(list(stream.tokens())) == 20 - len(PROMPT) + 1
    assert stream.stats.finish_reason == "context"


def test_repetition_penalty_changes_the_answer(model):
    plain = model.generate_ids(PROMPT, ANSWER)
    settings = Settings(max_new_tokens=30, stop_ids=(), sampling=Sampling(repetition_penalty=5.0))

    other = model.generate_ids(PROMPT, settings)

    assert other != plain
    assert len(set(other)) >= len(set(plain))
    assert np.all(np.array(other) < 128)


def test_a_growing_buffer_keeps_what_it_holds(folder, weights, monkeypatch):
    monkeypatch.setattr(optimum, "_FIRST", 2)
    grown = Generator(open_driver(folder / "fused"), chunk=3)
    settings = Settings(max_new_tokens=12, stop_ids=())

    assert grown.generate_ids(PROMPT, settings) == greedy(weights, PROMPT, 12)
    assert grown.generate_batch([PROMPT, PROMPT[:5]], settings) == [
        greedy(weights, PROMPT, 12),
        greedy(weights, PROMPT[:5], 12),
    ]


def test_the_shared_buffer_refuses_what_it_cannot_hold(folder):
    driver = open_driver(folder / "fused", max_length=9)

    with pytest.raises(ContextOverflowError):
        driver.all_logits([1] * 10)
    assert driver.all_logits([1] * 9).shape[0] == 9


def test_the_kernel_of_the_attention_is_chosen_for_one_session_only(folder, monkeypatch):
    seen = []
    session = ort.InferenceSession
    monkeypatch.delenv(NAIVE, raising=False)
    monkeypatch.setattr(ort, "InferenceSession", lambda *a, **k: seen.append(os.environ.get(NAIVE)) or session(*a, **k))

    for tiled in (False, True):
        open_driver(folder / "fused", options=SessionOptions(threads=1, tiled_attention=tiled))

    assert seen == ["1", None]
    assert NAIVE not in os.environ
