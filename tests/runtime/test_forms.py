"""Every form of graph in the field, detected and driven: the same greedy tokens as plain numpy."""

from __future__ import annotations

import shutil

import form_builder as build
import numpy as np
import pytest
from numpy_forward import greedy
from tiny_models import PROMPT, write_folder
from toy_text import ToyCodec

from runtime.errors import (
    ContextOverflowError,
    ModelFileError,
    PromptError,
    UnknownGraphError,
    UnsupportedError,
)
from runtime.forms import open_driver
from runtime.forms.detect import read_info
from runtime.generator import Generator, Settings
from runtime.graph.writer import FLOAT, FLOAT16, INT64, GraphWriter
from runtime.model import load
from runtime.sampling import Sampling
from runtime.weights import open_weights

NEW = 14
_DRAWN = ("temperature", "top_k", "top_p", "repetition_penalty")
SEED = 29


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    write_folder(folder, "llama", SEED)
    return folder


@pytest.fixture(scope="module")
def weights(source):
    return open_weights(source)


@pytest.fixture(scope="module")
def expected(weights):
    """Greedy tokens; a model is chosen where rounding the cache does not change them."""
    whole = greedy(weights, PROMPT, NEW)
    assert whole == greedy(weights, PROMPT, NEW, "half") == greedy(weights, PROMPT, NEW, "int8")
    return whole


# name -> (form as detected, builder)
FORMS = {
    "A": ("static", lambda folder, source, weights: build.static_single(folder, weights)),
    "A split": ("static", lambda folder, source, weights: build.static_split(folder, weights)),
    "A gemma": ("static", lambda folder, source, weights: build.static_gemma(folder, weights)),
    "B1": ("dynamic, March 2025", lambda folder, source, weights: build.dynamic_march(folder, weights)),
    "B2": ("dynamic", lambda folder, source, weights: build.dynamic(folder, weights)),
    "B2 half": ("dynamic", lambda folder, source, weights: build.dynamic(folder, weights, FLOAT16)),
    "B3": ("merged", lambda folder, source, weights: build.merged(folder, weights)),
    "B3 suffix": ("merged", lambda folder, source, weights: build.merged(folder, weights, suffix="_1")),
    "B3 int8 cache": ("merged", lambda folder, source, weights: build.merged(folder, weights, quantized=True)),
    "B3 penalty": ("merged", lambda folder, source, weights: build.merged(folder, weights, "PenaltyGreedy")),
    "B3 sampling": ("merged, sampling", lambda folder, source, weights: build.merged(folder, weights, "Sampling")),
    "C": ("optimum", lambda folder, source, weights: build.optimum(folder, source)),
    "C all logits": ("optimum", lambda folder, source, weights: build.optimum(folder, source, "all")),
    "C no positions": ("optimum", lambda folder, source, weights: build.optimum_without_positions(folder, source)),
    "C use_cache_branch": ("optimum", lambda folder, source, weights: build.optimum_merged(folder, source)),
    "C embeds": ("optimum", build.optimum_embeds),
    "D": ("shared buffer", lambda folder, source, weights: build.genai(folder, source)),
}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory, source, weights):
    made = {}

    def make(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name.replace(" ", "_"))
            FORMS[name][1](made[name], source, weights)
        return made[name]

    return make


@pytest.fixture(params=FORMS)
def name(request):
    return request.param


@pytest.fixture
def generator(folder_of, name):
    return Generator(open_driver(folder_of(name)), chunk=5)


SETTINGS = Settings(max_new_tokens=NEW, stop_ids=())


def test_form_is_detected_and_greedy_tokens_are_those_of_numpy(generator, name, expected):
    assert generator.driver.form == FORMS[name][0]
    assert generator.generate_ids(PROMPT, SETTINGS) == expected


def test_a_second_answer_reuses_the_common_prefix(generator, name, expected):
    generator.generate_ids(PROMPT, SETTINGS)
    longer = PROMPT + expected[:3]

    stream = generator.stream(longer, SETTINGS)

    assert list(stream.tokens())[: NEW - 3] == expected[3:]
    assert stream.stats.reused_tokens == len(longer) - 1


def test_another_prompt_starts_where_it_differs(generator, name, weights):
    generator.generate_ids(PROMPT, SETTINGS)
    other = [*PROMPT[:6], 9, 9, 50]

    assert generator.generate_ids(other, SETTINGS) == greedy(weights, other, NEW)


def test_a_shorter_prompt_rewinds(generator, name, weights):
    generator.generate_ids(PROMPT, SETTINGS)

    assert generator.generate_ids(PROMPT[:4], SETTINGS) == greedy(weights, PROMPT[:4], NEW)


def test_a_prompt_of_one_token(generator, name, weights):
    assert generator.generate_ids([7], SETTINGS) == greedy(weights, [7], NEW)


def test_stop_ids_end_the_answer(generator, name, expected):
    stop = expected[5]
    stream = generator.stream(PROMPT, Settings(max_new_tokens=NEW, stop_ids=(stop,)))

    assert list(stream.tokens()) == expected[: expected.index(stop)]
    assert stream.stats.finish_reason == "stop"


def test_bad_prompts_are_refused_before_the_graph_runs(generator, name):
    with pytest.raises(PromptError, match="no tokens"):
        generator.stream([])
    with pytest.raises(PromptError, match="id -1 is outside"):
        generator.stream([3, -1])
    if generator.driver.vocab_size:
        with pytest.raises(PromptError, match="id 128 is outside the model's vocabulary of 128"):
            generator.stream([3, 128])
    if generator.driver.limit:
        with pytest.raises(ContextOverflowError, match="do not fit the context of"):
            generator.stream([1] * (generator.driver.limit + 1))


def test_sampling_from_a_graph_that_chooses_itself_is_refused(generator, name):
    driver = generator.driver
    settings = {"temperature": 0.7, "repetition_penalty": 1.2, "presence_penalty": 0.5, "logit_bias": {3: 1.0}}
    refused = [key for key in settings if driver.chooses and key not in driver.takes]

    for key, value in settings.items():
        asked = Settings(sampling=Sampling(**{key: value}))
        if key in refused:
            with pytest.raises(UnsupportedError, match=f"leave {key} at the default"):
                generator.stream(PROMPT, asked)
        else:
            generator.stream(PROMPT, asked)
    takes = {
        "B3 sampling": {"temperature", "top_k", "top_p", "repetition_penalty"},
        "B3 penalty": {"repetition_penalty"},
    }
    assert driver.takes == takes.get(name, set())


def test_a_batch_gives_what_each_prompt_gives_alone(generator, name):
    prompts = [PROMPT, PROMPT[:3], [9, 100, 42, 7, 7]]

    together = generator.generate_batch(prompts, SETTINGS)

    assert together == [generator.generate_ids(prompt, SETTINGS) for prompt in prompts]


@pytest.mark.parametrize("name", ["A", "B3", "C", "D"], indirect=False)
def test_an_answer_that_fills_the_context_ends_there(folder_of, name, expected):
    generator = Generator(open_driver(folder_of(name), max_length=len(PROMPT) + 6))

    stream = generator.stream(PROMPT, SETTINGS)

    assert list(stream.tokens()) == expected[:7]  # the last token chosen needs no room in the cache
    assert stream.stats.finish_reason == "context"


def test_weights_in_a_third_file_are_lent_to_both_graphs(tmp_path, weights, expected):
    build.merged(tmp_path, weights)
    build.share_initializers(tmp_path)

    generator = Generator(open_driver(tmp_path))

    assert generator.generate_ids(PROMPT, SETTINGS) == expected


def test_metadata_of_merged_graphs_is_read(folder_of):
    info = open_driver(folder_of("B3")).info

    assert (info.vocab_size, info.context, info.stop_ids) == (128, build.LONGEST, (2, 1))


def test_the_penalty_graph_is_given_its_history(folder_of, expected):
    driver = open_driver(folder_of("B3 penalty"))
    driver.sample_with(Sampling(repetition_penalty=1.5))

    first = driver.feed(PROMPT)
    second = driver.feed([first])

    assert first == expected[0]
    assert driver._saved.tolist() == [[first, second]]


def test_a_graph_that_samples_refuses_what_it_would_ignore(folder_of):
    generator = Generator(open_driver(folder_of("B3 sampling")))

    with pytest.raises(UnsupportedError, match="takes only repetition_penalty, temperature, top_k, top_p"):
        generator.stream(PROMPT, Settings(sampling=Sampling(temperature=1.0, min_p=0.1, seed=3)))


def test_the_tokenizer_bounds_ids_where_the_graph_does_not_say(folder_of, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(folder_of("A"), folder)
    (folder / "config.json").unlink(missing_ok=True)

    model = load(folder, tokenizer=ToyCodec())

    with pytest.raises(PromptError, match="id 128 is outside"):
        model.stream([3, 128])


def test_files_of_a_chain_may_be_listed_in_any_order(folder_of, expected):
    folder = folder_of("A gemma")
    files = [str(folder / f"Gemma_{part}.onnx") for part in "CAB"]

    assert Generator(open_driver(files)).generate_ids(PROMPT, SETTINGS) == expected


def test_half_a_pair_is_refused(folder_of):
    with pytest.raises(UnknownGraphError, match="one of a pair"):
        open_driver(folder_of("B3") / "LLM_DecodeGreedy.onnx")


def test_a_graph_of_no_known_form_is_refused(tmp_path):
    with GraphWriter(tmp_path / "other.onnx") as graph:
        graph.input("pixels", FLOAT, [1, 3])
        graph.op("Identity", "pixels", out="y")
        graph.output("y", FLOAT, [1, 3])
        graph.finish("other", {})

    with pytest.raises(UnknownGraphError, match="no known form of decoder graph has the inputs pixels"):
        open_driver(tmp_path)


def test_an_unknown_input_of_a_known_form_is_named(tmp_path, source):
    import onnx

    build.optimum(tmp_path, source)
    model = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    model.graph.input.append(onnx.helper.make_tensor_value_info("beam_idx", INT64, [1]))
    onnx.save(model, tmp_path / "model.onnx")

    with pytest.raises(UnknownGraphError, match="the input 'beam_idx' is not known"):
        open_driver(tmp_path)


def test_broken_and_missing_graphs_are_named(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07garbage")

    with pytest.raises(ModelFileError, match=r"broken\.onnx: onnxruntime .* cannot load"):
        open_driver(tmp_path)
    with pytest.raises(ModelFileError, match="no such graph"):
        open_driver(tmp_path / "none.onnx")


def test_a_truncated_weights_file_is_an_error_at_loading(folder_of, tmp_path, source):
    build.optimum(tmp_path, source)
    data = tmp_path / "model.onnx.data"
    data.write_bytes(data.read_bytes()[:1000])

    with pytest.raises(ModelFileError, match="the weights file beside it is missing or cut short"):
        open_driver(tmp_path)
    data.unlink()
    with pytest.raises(ModelFileError, match="the weights file beside it is missing or cut short"):
        open_driver(tmp_path)


def test_an_unknown_head_size_says_what_to_put_where(tmp_path, source):
    build.genai(tmp_path, source)
    (tmp_path / "genai_config.json").unlink()

    with pytest.raises(UnknownGraphError, match=r"put genai_config\.json \(head_size\)"):
        open_driver(tmp_path)


def test_info_comes_from_config_json_when_the_graph_says_nothing(source):
    info = read_info(str(source / "model.onnx"), {})

    assert (info.vocab_size, info.head_dim, info.context, info.stop_ids) == (128, 16, 256, (2,))


@pytest.mark.parametrize("name", ["C", "D"])
def test_logits_of_a_rewound_cache_are_the_same(folder_of, name):
    driver = open_driver(folder_of(name))
    whole = np.array(driver.feed(PROMPT))
    driver.rewind(4)

    assert np.abs(driver.feed(PROMPT[4:]) - whole).max() < 1e-5
