"""The HTTP server, asked by the real openai client."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest
from tiny_models import write_folder
from toy_text import ToyCodec

from runtime.export import export
from runtime.generator import Settings
from runtime.model import load

openai = pytest.importorskip("openai")
uvicorn = pytest.importorskip("uvicorn")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

QUESTION = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_folder(folder, "llama", 29)
    export(folder, folder / "out")
    return load(folder / "out", tokenizer=ToyCodec(), max_length=200)


@pytest.fixture(scope="module")
def address(model):
    """A server in a thread, on a port the system chose."""
    from runtime.serve import application

    config = uvicorn.Config(application(model, "tiny", queue=2), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.time() + 20
    while not server.started and time.time() < deadline:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(address):
    with openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0) as client:
        yield client


def expected(model, count):
    ids = model.codec.apply_chat_template(QUESTION)
    return model.generate(ids, Settings(max_new_tokens=count))


def test_models_are_listed(client):
    assert [entry.id for entry in client.models.list()] == ["tiny"]


def test_an_answer_is_that_of_the_generator(client, model):
    reply = client.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=8, temperature=0)

    assert reply.choices[0].message.content == expected(model, 8)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 8
    assert reply.usage.prompt_tokens == len(model.codec.apply_chat_template(QUESTION))


def test_a_streamed_answer_is_the_same(client, model):
    parts = list(
        client.chat.completions.create(
            model="tiny",
            messages=QUESTION,
            max_completion_tokens=8,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert text == expected(model, 8)
    assert [part.choices[0].finish_reason for part in parts if part.choices][-1] == "length"
    assert parts[-1].usage.completion_tokens == 8


def test_completions_take_text_and_ids(client, model):
    by_text = client.completions.create(model="tiny", prompt="hello", max_tokens=5, temperature=0)
    by_ids = client.completions.create(model="tiny", prompt=model.codec.encode("hello"), max_tokens=5, temperature=0)

    assert by_text.choices[0].text == by_ids.choices[0].text == model.generate("hello", Settings(max_new_tokens=5))


def test_a_graph_that_cannot_draw_answers_requests_without_a_temperature():
    from runtime.requests import read_settings

    assert read_settings({}).sampling.temperature == 1
    assert read_settings({}, draws=False).sampling.temperature == 0
    assert read_settings({"temperature": 0.5}, draws=False).sampling.temperature == 0.5


def test_stop_and_seed_are_honoured(client, model):
    whole = expected(model, 8)
    reply = client.chat.completions.create(
        model="tiny", messages=QUESTION, max_tokens=8, temperature=0, stop=whole[3:5]
    )
    assert reply.choices[0].message.content == whole[: whole.index(whole[3:5])]
    assert reply.choices[0].finish_reason == "stop"

    draws = {
        client.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=8, seed=4).choices[0].message.content
        for _ in range(2)
    }
    assert len(draws) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"messages": []}, "messages must be a list"),
        ({"n": 2}, "only n=1"),
        ({"top_p": 3}, "top_p must be between"),
        ({"messages": [{"role": "user", "content": "x" * 500}]}, "shorten the last message"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "only text"),
        ({"logit_bias": {"9999": 1}}, "outside the vocabulary"),
        ({"logit_bias": [1]}, "must map ids"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"max_tokens": 1.5}, "max_tokens must be a whole number"),
        ({"max_tokens": -1}, "max_tokens must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"temperature": -1}, "temperature must be between"),
        ({"stream": "yes"}, "stream must be true or false"),
        ({"stream_options": 5}, "stream_options must be an object"),
        ({"stop": [1]}, "stop must be a string"),
        ({"logprobs": True}, "logprobs is not supported"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools is not supported"),
        ({"response_format": {"type": "json_object"}}, "only text is answered"),
        ({"messages": "hello"}, "messages must be a list"),
        ({"messages": [{"role": "user"}]}, "each message needs role and content"),
        ({"messages": [{"role": "teapot", "content": "x"}]}, "no role teapot"),
    ],
)
def test_bad_requests_say_what_is_wrong(client, change, message):
    with pytest.raises(openai.BadRequestError, match=message):
        client.chat.completions.create(**{"model": "tiny", "messages": QUESTION, "max_tokens": 4, **change})


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "no tokens"),
        ([], "must be a string or a list of ids"),
        (["a", "b"], "must be a string or a list of ids"),
        ([True], "must be a string or a list of ids"),
        ([-1], "id -1 is outside"),
        ([128], "id 128 is outside"),
    ],
)
def test_bad_prompts_say_what_is_wrong(client, prompt, message):
    with pytest.raises(openai.BadRequestError, match=message):
        client.completions.create(model="tiny", prompt=prompt, max_tokens=4)


def test_a_model_is_found_by_its_name(client):
    assert client.models.retrieve("tiny").id == "tiny"
    with pytest.raises(openai.NotFoundError, match="the model here is 'tiny'"):
        client.models.retrieve("large")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/embeddings", b"{}", 404),
        ("/v1/chat/completions", None, 405),
        ("/v1/chat/completions", b"{bad", 400),
        ("/v1/chat/completions", b"[1]", 400),
        ("/v1/chat/completions", b"[" * 100_000, 400),
        ("/v1/chat/completions", b" " * (5 << 20), 413),
    ],
)
def test_every_error_is_in_the_form_that_clients_read(address, path, body, status):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address + path, data=body))

    with caught.value as answer:
        assert answer.code == status
        assert set(json.load(answer)["error"]) == {"message", "type", "param", "code"}


def test_an_error_of_ours_is_told_as_one(client, model, monkeypatch):
    monkeypatch.setattr(model, "check", None)

    with pytest.raises(openai.InternalServerError, match="TypeError"):
        client.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=4)


def test_a_client_that_leaves_without_streaming_frees_the_model(address, client, model):
    body = json.dumps({"model": "tiny", "messages": QUESTION, "max_tokens": 150, "temperature": 0}).encode()
    feed = model.driver.feed
    fed = []

    def slow(ids, options=None):
        fed.append(len(ids))
        time.sleep(0.02)
        return feed(ids, options)

    model.driver.feed = slow
    try:
        host, port = address.removeprefix("http://").split(":")
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + body)
            deadline = time.time() + 10
            while len(fed) < 3 and time.time() < deadline:
                time.sleep(0.01)
        while json.load(urllib.request.urlopen(address + "/health"))["waiting"] and time.time() < deadline:
            time.sleep(0.01)
    finally:
        model.driver.feed = feed

    assert 3 <= len(fed) < 100


def test_a_client_that_leaves_frees_the_model(client, model):
    with client.chat.completions.create(
        model="tiny", messages=QUESTION, max_tokens=150, temperature=0, stream=True
    ) as parts:
        next(iter(parts))

    reply = client.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=4, temperature=0)
    assert reply.choices[0].message.content == expected(model, 4)


def test_requests_beyond_the_queue_are_refused(client, address, model):
    release = threading.Event()
    feed = model.driver.feed

    def slow(ids, options=None):
        release.wait(20)
        return feed(ids, options)

    model.driver.feed = slow
    ask = {"model": "tiny", "messages": QUESTION, "max_tokens": 2, "temperature": 0}
    threads = [threading.Thread(target=client.chat.completions.create, kwargs=ask) for _ in range(2)]
    try:
        for thread in threads:
            thread.start()
        deadline = time.time() + 10
        while json.load(urllib.request.urlopen(address + "/health"))["waiting"] < 2 and time.time() < deadline:
            time.sleep(0.02)
        with pytest.raises(openai.InternalServerError, match="queue is full"):
            client.chat.completions.create(**ask)
    finally:
        release.set()
        for thread in threads:
            thread.join(20)
        model.driver.feed = feed


def test_other_host_names_are_refused(address):
    request = urllib.request.Request(address + "/v1/models", headers={"Host": "evil.example"})

    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        urllib.request.urlopen(request)
    caught.value.close()
