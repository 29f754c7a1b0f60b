"""Decode, prompt and start-up speed of SmolLM2 beside other runtimes, on this machine, in these minutes.

    python benchmarks/runtime.py model.gguf [--peers genai,llama,torch] [--repeat 5] [--threads 2]

Each runtime runs in a process of its own and the processes take turns, so that whatever else the
machine does falls on all of them; medians are printed. Peers that are not installed are left out:
pip install onnxruntime-genai llama-cpp-python "transformers<5" torch gguf accelerate.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

OURS = ("fast", "exact", "int8", "float")
PEERS = ("genai", "llama", "torch")


def run_ours(folder: str, prompt: list[int], new: int, threads: int) -> dict[str, float]:
    """One run of an exported folder."""
    from runtime.bench import peak_memory
    from runtime.generator import Settings
    from runtime.model import load
    from runtime.session import SessionOptions

    model = load(folder, tokenizer=False, options=SessionOptions(threads=threads))
    settings = Settings(max_new_tokens=new, stop_ids=())
    list(model.stream(prompt[:8], Settings(max_new_tokens=4, stop_ids=())).tokens())
    stream = model.stream(prompt[::-1], settings)
    list(stream.tokens())
    stats = stream.stats
    return {
        "load": model.load_seconds,
        "prefill": stats.prefill_rate,
        "decode": stats.decode_rate,
        "memory": peak_memory() / 1e6,
    }


def run_genai(folder: str, prompt: list[int], new: int, threads: int) -> dict[str, float]:
    """The same graph in onnxruntime-genai."""
    import numpy as np
    import onnxruntime_genai as genai

    from runtime.bench import peak_memory

    path = os.path.join(folder, "genai_config.json")
    with open(path, encoding="utf-8") as stream:
        config = json.load(stream)
    config["model"]["decoder"]["session_options"]["intra_op_num_threads"] = threads
    config["model"]["eos_token_id"] = [config["model"]["vocab_size"] - 1]
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(config, stream)
    started = time.perf_counter()
    model = genai.Model(folder)
    load = time.perf_counter() - started
    search = genai.GeneratorParams(model)
    search.set_search_options(max_length=len(prompt) + new, do_sample=False)
    generator = genai.Generator(model, search)
    started = time.perf_counter()
    generator.append_tokens(np.array([prompt], dtype=np.int32))
    generator.generate_next_token()
    first = time.perf_counter()
    for _ in range(new - 1):
        generator.generate_next_token()
    ended = time.perf_counter()
    return _rates(len(prompt), new, load, started, first, ended, peak_memory())


def run_llama(gguf: str, prompt: list[int], new: int, threads: int) -> dict[str, float]:
    """llama.cpp through its Python bindings."""
    from llama_cpp import Llama

    from runtime.bench import peak_memory

    started = time.perf_counter()
    model = Llama(gguf, n_ctx=4096, n_threads=threads, n_threads_batch=threads, verbose=False)
    load = time.perf_counter() - started
    model.eval(prompt[:8])
    model.reset()
    started = time.perf_counter()
    model.eval(prompt)
    first = time.perf_counter()
    for step in range(new - 1):
        model.eval([100 + step])
    return _rates(len(prompt), new, load, started, first, time.perf_counter(), peak_memory())


def run_torch(gguf: str, prompt: list[int], new: int, threads: int) -> dict[str, float]:
    """Run transformers and torch in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    from runtime.bench import peak_memory

    torch.set_num_threads(threads)
    started = time.perf_counter()
    folder, name = os.path.split(gguf)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    load = time.perf_counter() - started
    with torch.no_grad():
        started = time.perf_counter()
        out = model(torch.tensor([prompt]), use_cache=True)
        first = time.perf_counter()
        for step in range(new - 1):
            out = model(torch.tensor([[100 + step]]), past_key_values=out.past_key_values, use_cache=True)
    return _rates(len(prompt), new, load, started, first, time.perf_counter(), peak_memory())


def _rates(prompt: int, new: int, load: float, *times: float) -> dict[str, float]:
    started, first, ended, memory = times
    return {
        "load": load,
        "prefill": prompt / (first - started),
        "decode": (new - 1) / (ended - first),
        "memory": memory / 1e6,
    }


def prepare(gguf: str, folder: str, context: int) -> dict[str, str]:
    """Export every quality; genai gets the fast one with pruned logits."""
    from runtime.export import export
    from runtime.graph.decoder import GraphOptions
    from runtime.graph.linear import Precision

    weights = {"fast": "exact", "exact": "exact", "int8": "int8", "float": "float"}
    places = {}
    for name in (*OURS, "genai"):
        precision = Precision(weights.get(name, "exact"), fast=name != "exact")
        places[name] = os.path.join(folder, name)
        logits = "last" if name == "genai" else "keep"
        export(gguf, places[name], GraphOptions(precision=precision, context=context, logits=logits))
    return places


def main() -> None:
    """Run everything in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    prompt = [(7919 * i) % 40000 + 100 for i in range(arguments.prompt)]
    if arguments.child:
        run = {"genai": run_genai, "llama": run_llama, "torch": run_torch}.get(arguments.child, run_ours)
        print(json.dumps(run(arguments.place, prompt, arguments.new, arguments.threads)))
        return
    peers = [name for name in arguments.peers.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        places = prepare(arguments.gguf, folder, arguments.prompt + arguments.new + 64)
        results: dict[str, list[dict[str, float]]] = {}
        for _ in range(arguments.repeat):
            for name in (*OURS, *peers):
                measured = _child(name, places.get(name, arguments.gguf), arguments)
                if measured:
                    results.setdefault(name, []).append(measured)
        _print(results, arguments, places)


def _child(name: str, place: str, arguments: argparse.Namespace) -> dict[str, float] | None:
    """Run one runtime in a fresh process; None if it is not installed."""
    command = [sys.executable, __file__, os.path.abspath(arguments.gguf), "--child", name, "--place", place]
    for option in ("prompt", "new", "threads"):
        command += [f"--{option}", str(getattr(arguments, option))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path, os.getcwd()]).strip(os.pathsep)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - ourselves
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no output"]
        print(f"{name} left out: {reason[0]}", file=sys.stderr)
        return None
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def _print(results: dict[str, list[dict[str, float]]], arguments: argparse.Namespace, places: dict[str, str]) -> None:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    print(f"\nprompt {arguments.prompt}, {arguments.new} new, {arguments.threads} threads, load average {load:.1f}")
    print("| | MB | load s | prompt tokens/s | decode tokens/s | peak MB | runs |\n|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        folder = places.get(name)
        files = [os.path.join(folder, file) for file in os.listdir(folder)] if folder else [arguments.gguf]
        size = sum(os.path.getsize(file) for file in files if ".onnx" in file or file.endswith(".gguf")) / 1e6
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"| {name} | {size:.0f} | {middle['load']:.2f} | {middle['prefill']:.0f} | {middle['decode']:.1f} "
            f"| {middle['memory']:.0f} | {len(runs)} |"
        )


if __name__ == "__main__":
    main()
