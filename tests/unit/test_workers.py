"""Several processes give what one gives, pass errors on, and leave nothing running."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenizers_lite
from tokenizers_lite import SpecialTokenError, WorkerError, errors, workers
from tokenizers_lite.workers import Workers

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
METHODS = [name for name in ("fork", "spawn") if name in multiprocessing.get_all_start_methods()]
TEXTS = ["", "Hello, world!", "你好，世界。\n\n", "naïve 😀 <|im_end|> [SEP] 12345", "\ud83d", "a" * 3000, " \t\n"]


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    monkeypatch.setattr(workers, "MIN_CHARACTERS", 1)
    monkeypatch.setattr(workers, "MIN_IDS", 1)
    monkeypatch.setattr(workers, "_MIN_RUN", 20)
    monkeypatch.setattr(workers, "_FIRST", 10)


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return multiprocessing.get_context(request.param)


@pytest.fixture(scope="module", params=["smollm2", "bge-small-en"])
def started(request, method):
    with Workers(tokenizers_lite.load(request.param), 2, context=method) as held:
        yield held


@given(st.lists(st.sampled_from(TEXTS) | st.text(max_size=40), max_size=40), st.booleans())
@settings(max_examples=25)
def test_the_results_are_those_of_one_process(started, texts, special):
    tokenizer = started._tokenizer
    ids = [tokenizer.encode(text, add_special_tokens=special, allowed_special=()) for text in texts]

    assert started.encode_batch(iter(texts), add_special_tokens=special, allowed_special=()) == ids
    assert started.decode_batch(iter(ids), skip_special_tokens=special) == [
        tokenizer.decode(each, skip_special_tokens=special) for each in ids
    ]


def test_ids_that_no_vocabulary_has_are_left_out(started):
    assert started.decode_batch([[-1, 5000], [1 << 40], (5000,)] * 20) == started._tokenizer.decode_batch(
        [[5000], [], [5000]] * 20
    )


def test_the_call_that_starts_its_own_workers():
    before = set(multiprocessing.active_children())
    tokenizer = tokenizers_lite.load("bge-small-en")
    ids = tokenizer.encode_batch(TEXTS * 5)

    assert tokenizer.encode_batch(TEXTS * 5, workers=2) == ids
    assert tokenizer.decode_batch(ids, workers=3) == tokenizer.decode_batch(ids)
    assert set(multiprocessing.active_children()) <= before


def test_a_tokenizer_from_elsewhere_is_pickled(method):
    bundled = tokenizers_lite.load("bge-small-en").with_tokens(["<new>"])
    texts = ["a <new> b", *TEXTS] * 5

    with Workers(bundled, 2, context=method) as held:
        assert held.encode_batch(texts) == bundled.encode_batch(texts)


def test_the_first_error_of_the_batch_is_passed_on_and_nothing_runs_on(method):
    before = set(multiprocessing.active_children())
    tokenizer = tokenizers_lite.load("smollm2")
    texts = ["fine " * 20] * 10 + ["at 0 <|im_end|>"] + ["far <|im_start|> on"] * 40
    with pytest.raises(SpecialTokenError) as expected:
        tokenizer.encode_batch(texts, allowed_special=(), disallowed_special="all")

    held = Workers(tokenizer, 2, context=method)
    with pytest.raises(SpecialTokenError) as caught:
        held.encode_batch(texts, allowed_special=(), disallowed_special="all")
    assert str(caught.value) == str(expected.value)
    assert set(multiprocessing.active_children()) <= before
    assert held.encode_batch(texts[:10]) == tokenizer.encode_batch(texts[:10])  # with new processes
    held.close()
    assert set(multiprocessing.active_children()) <= before


def test_what_is_done_before_the_fork_comes_first(monkeypatch, method):
    tokenizer = tokenizers_lite.load("smollm2")
    for first in (0, 50, 10**9):
        monkeypatch.setattr(workers, "_FIRST", first)
        with Workers(tokenizer, 2, context=method) as held:
            assert held.encode_batch(TEXTS * 4) == tokenizer.encode_batch(TEXTS * 4)


def test_what_is_no_text_is_refused_as_by_one_process():
    tokenizer = tokenizers_lite.load("smollm2")

    for wrong in (5, b"bytes", None):
        with pytest.raises(Exception) as expected:
            tokenizer.encode_batch(["a" * 100, wrong])
        with pytest.raises(type(expected.value)):
            tokenizer.encode_batch(["a" * 100, wrong], workers=2)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_worker_that_is_killed_is_reported(method):
    before = set(multiprocessing.active_children())
    held = Workers(tokenizers_lite.load("smollm2"), 2, context=method)
    held.encode_batch(TEXTS)
    for process in held._running.values():
        os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(WorkerError, match="exit code -9"):
        held.encode_batch(TEXTS)
    assert set(multiprocessing.active_children()) <= before


def test_small_batches_start_nothing(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(Workers, "start", lambda _: pytest.fail("started"))
    tokenizer = tokenizers_lite.load("bge-small-en")
    ids = tokenizer.encode_batch(TEXTS, workers=8)

    assert ids == tokenizer.encode_batch(TEXTS)
    assert tokenizer.decode_batch(ids, workers=8) == tokenizer.decode_batch(ids)


def test_decoding_from_a_table_starts_nothing(monkeypatch):
    monkeypatch.setattr(Workers, "start", lambda _: pytest.fail("started"))
    tokenizer = tokenizers_lite.load("smollm2")

    assert tokenizer.decode_batch([[1, 2, 3]] * 100, workers=2) == [tokenizer.decode([1, 2, 3])] * 100


def test_daemonic_processes_work_alone(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    monkeypatch.setattr(Workers, "start", lambda _: pytest.fail("started"))
    tokenizer = tokenizers_lite.load("smollm2")

    assert tokenizer.encode_batch(TEXTS, workers=2) == tokenizer.encode_batch(TEXTS)


@pytest.mark.parametrize("count", [0, -1])
def test_fewer_than_one_worker_is_refused(count):
    with pytest.raises(ValueError, match="at least 1"):
        tokenizers_lite.load("smollm2").encode_batch([], workers=count)


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_errors_cross_processes(name):
    error = getattr(errors, name)("what happened")
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert str(again) == "what happened"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="the system has no process groups")
@pytest.mark.parametrize("name", METHODS)
def test_interrupts_end_the_workers(tmp_path, name):
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, tokenizers_lite\n"
        "from tokenizers_lite.workers import Workers\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({name!r})\n"
        "    workers = Workers(tokenizers_lite.load('smollm2'), 2, context=context)\n"
        "    workers.encode_batch(['a word and another '] * 100_000)\n"
        "    print(*[process.pid for process in workers._running.values()], flush=True)\n"
        "    workers.encode_batch(['a word and another '] * 30_000_000)\n"
    )
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert said.count("KeyboardInterrupt") == 1, said  # of this process, none of the workers'
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.skipif("fork" not in METHODS, reason="the system does not fork")
def test_workers_end_when_the_process_that_started_them_is_killed():
    code = (
        "import multiprocessing, os, tokenizers_lite\n"
        "from tokenizers_lite.workers import Workers\n"
        "workers = Workers(tokenizers_lite.load('smollm2'), 3, context=multiprocessing.get_context('fork'))\n"
        "workers.start()\n"
        "print('up', flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    # The workers hold this pipe open as long as they live.
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=60)

    assert done.stdout == "up\n"
