"""One runtime in a process of its own: speed, or log-probabilities of a text.

    python -m benchmarks.runtime_runs speed|quality RUNTIME PLACE JOB.json

The last line printed is a JSON object. `benchmarks.runtime` starts these in turn.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from runtime.bench import peak_memory


class Ours:
    """An exported folder in this package's own generator."""

    def __init__(self, place: str, threads: int, room: int) -> None:  # noqa: ARG002 - the graph knows its room
        from runtime.model import load
        from runtime.session import SessionOptions

        self.model = load(place, tokenizer=False, options=SessionOptions(threads=threads))

    def answer(self, ids: list[int], new: int) -> tuple[float, float]:
        """Return seconds to the first token, and from there to the last."""
        from runtime.generator import Settings

        stream = self.model.stream(ids, Settings(max_new_tokens=new, stop_ids=()))
        list(stream.tokens())
        return stream.stats.first_token_seconds, stream.stats.decode_seconds

    def logits(self, ids: list[int]) -> Any:
        """Return the logits of every position of a fresh sequence."""
        self.model.driver.rewind(0)
        return self.model.driver.all_logits(ids)


class Genai:
    """A folder with genai_config.json in onnxruntime-genai."""

    def __init__(self, place: str, threads: int, room: int) -> None:
        import onnxruntime_genai as genai

        self.genai, self.room = genai, room
        path = Path(place) / "genai_config.json"
        config = json.loads(path.read_text("utf-8"))
        config["model"]["decoder"]["session_options"]["intra_op_num_threads"] = threads
        config["model"]["eos_token_id"] = [config["model"]["vocab_size"] - 1]  # random ids must not end the answer
        path.write_text(json.dumps(config), "utf-8")
        self.model = genai.Model(place)

    def answer(self, ids: list[int], new: int) -> tuple[float, float]:
        """Return seconds to the first token, and from there to the last."""
        search = self.genai.GeneratorParams(self.model)
        search.set_search_options(max_length=self.room, do_sample=False)
        generator = self.genai.Generator(self.model, search)
        started = time.perf_counter()
        generator.append_tokens(np.array([ids], dtype=np.int32))
        generator.generate_next_token()
        first = time.perf_counter()
        for _ in range(new - 1):
            generator.generate_next_token()
        return first - started, time.perf_counter() - first


class Llama:
    """The GGUF file in llama.cpp, through its Python bindings."""

    def __init__(self, place: str, threads: int, room: int) -> None:
        from llama_cpp import Llama as Model

        options = {"n_ctx": room, "n_threads": threads, "n_threads_batch": threads, "verbose": False}
        self.model = Model(place, logits_all="quality" in sys.argv, **options)

    def answer(self, ids: list[int], new: int) -> tuple[float, float]:
        """Return seconds to the first token, and from there to the last; choosing a token is not counted."""
        self.model.reset()
        started = time.perf_counter()
        self.model.eval(ids)
        first = time.perf_counter()
        for step in range(new - 1):
            self.model.eval([100 + step])
        return first - started, time.perf_counter() - first

    def logits(self, ids: list[int]) -> Any:
        """Return the logits of every position of a fresh sequence."""
        self.model.reset()
        self.model.eval(ids)
        return self.model.scores[: len(ids)]


class Torch:
    """The GGUF file, dequantised to float32 by transformers, in torch."""

    def __init__(self, place: str, threads: int, room: int) -> None:  # noqa: ARG002 - torch's cache grows
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(threads)
        file = Path(place)
        self.torch = torch
        self.model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()

    def answer(self, ids: list[int], new: int) -> tuple[float, float]:
        """Return seconds to the first token, and from there to the last."""
        with self.torch.no_grad():
            started = time.perf_counter()
            out = self.model(self.torch.tensor([ids]), use_cache=True, logits_to_keep=1)
            first = time.perf_counter()
            for _ in range(new - 1):
                token = out.logits[:, -1:].argmax(-1)
                out = self.model(token, past_key_values=out.past_key_values, use_cache=True)
        return first - started, time.perf_counter() - first


RUNTIMES: dict[str, Any] = {"genai": Genai, "genai builder": Genai, "llama.cpp": Llama, "torch": Torch}


def speed(runtime: Any, job: dict[str, Any]) -> dict[str, float]:
    """Answer pieces of a text; medians over the repeats, which start elsewhere, so that nothing is reused."""
    random = np.random.default_rng(job["seed"])

    def piece(length: int) -> list[int]:
        start = int(random.integers(len(job["text"]) - length))
        ids: list[int] = job["text"][start : start + length]
        return ids

    runtime.answer(piece(8), 4)
    found: dict[str, float] = {}
    for kind, prompt, repeats in (("", job["prompt"], job["repeats"]), ("long ", job["long"], 1)):
        times = [runtime.answer(piece(prompt), job["new"]) for _ in range(repeats)]
        found[kind + "prompt"] = prompt / statistics.median(first for first, _ in times)
        found[kind + "decode"] = (job["new"] - 1) / statistics.median(rest for _, rest in times)
        found[kind + "memory"] = peak_memory() / 1e6
    return found


def quality(runtime: Any, job: dict[str, Any]) -> dict[str, float]:
    """Perplexity, KL divergence and top-1 agreement with the float graph, whose log-probabilities are stored."""
    from runtime.report import log_softmax

    sums, count = np.zeros(3), 0
    for number, ids in enumerate(job["windows"]):
        ours = log_softmax(np.asarray(runtime.logits(ids[:-1]), dtype=np.float32))
        file = Path(job["reference"]) / f"{number}.npy"
        if not file.exists():
            np.save(file, ours)
        theirs = np.load(file, mmap_mode="r")
        sums += [
            -ours[np.arange(len(ours)), ids[1:]].sum(dtype=np.float64),
            (np.exp(theirs) * (theirs - ours)).sum(dtype=np.float64),
            (ours.argmax(-1) == theirs.argmax(-1)).sum(),
        ]
        count += len(ours)
    loss, divergence, agreement = sums / count
    return {"ppl": float(np.exp(loss)), "KL": float(divergence), "top-1": 100 * float(agreement)}


def main() -> None:
    """Run what the arguments say."""
    what, name, place, file = sys.argv[1:5]
    job = json.loads(Path(file).read_text("utf-8"))
    started = time.perf_counter()
    runtime = RUNTIMES.get(name, Ours)(place, job["threads"], job["long"] + job["new"] + 64)
    load = time.perf_counter() - started
    found = speed(runtime, job) if what == "speed" else quality(runtime, job)
    print(json.dumps({"load": load, **found}))


if __name__ == "__main__":
    main()
