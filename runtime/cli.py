"""The commands run, chat, export, quantize, bench and serve."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from runtime.errors import UnsupportedError
from tokenizers_lite.errors import TokenizerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.chat import Answer, Chat
    from runtime.generator import Generator
    from runtime.graph.decoder import GraphOptions
    from runtime.report import Comparison

QUALITY = {
    "exact": "weights of the file as they are, float activations: the reference's tokens",
    "fast": "the same weights, int8 activations: as exact as llama.cpp",
    "float": "float32 weights: the reference, large",
    "int8": "8-bit blocks made from any weights",
    "int4": "4-bit blocks made from any weights: the smallest",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the first argument is its name.

    Returns:
        0, or 1 after an error that was printed.
    """
    arguments = _parse(sys.argv[1:] if argv is None else list(argv))
    try:
        result: int = arguments.command(arguments)
    except (TokenizerError, OSError) as error:
        print(f"tokenizers-lite: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return result


def _parse(argv: list[str]) -> argparse.Namespace:
    parser, commands = _parser()
    if argv and argv[0] in ("run", "chat"):  # options may stand between the model and the words of the question
        parsed: argparse.Namespace = commands[argv[0]].parse_intermixed_args(argv[1:])
        return parsed
    return parser.parse_args(argv)


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(prog="tokenizers-lite", description="Run, export and shrink language models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", _run, "answer a question, or chat if there is none")
    run.add_argument("model", help="a name (smollm2), a GGUF file, a folder with safetensors, or an ONNX graph")
    run.add_argument("question", nargs="*", help="what to ask; without it questions are read from the terminal")
    run.add_argument("--raw", action="store_true", help="continue the text as it is, without the chat template")
    chat = _command(commands, "chat", _run, "talk; /forget starts over, /quit leaves, Ctrl-C ends an answer")
    chat.add_argument("model", help="as for run")
    chat.set_defaults(question=[], raw=False)
    for command in (run, chat):
        _add_answer_options(command)
        _add_build_options(command)
    export = _command(commands, "export", _export, "write a graph with its tokenizer into a folder")
    export.add_argument("source", help="a name, a GGUF file, or a folder with safetensors and config.json")
    export.add_argument("-o", "--output", required=True, help="folder to write")
    export.add_argument("--form", choices=("fused", "plain"), default="fused", help="fused operators, or standard ONNX")
    export.add_argument("--logits", choices=("keep", "last", "all"), default="keep", help="positions that get logits")
    export.add_argument("--genai", action="store_true", help="for onnxruntime-genai: fused, logits of the last token")
    export.add_argument("--half", action="store_true", help="16-bit activations, cache and float weights")
    export.add_argument("--text", help="a text file on which to compare with the float32 graph (perplexity, KL, top-1)")
    export.add_argument("--tokens", type=int, default=2048, help="tokens of the text to use")
    _add_build_options(export)
    _add_quantize(commands)
    bench = _command(commands, "bench", _bench, "measure load, prompt and decoding speed")
    bench.add_argument("model", help="as for run")
    bench.add_argument("--prompt", type=int, default=256, help="tokens of the prompt")
    bench.add_argument("--new", type=int, default=64, help="tokens to generate")
    bench.add_argument("--repeat", type=int, default=5, help="runs; the median is shown")
    _add_build_options(bench)
    serve = _command(commands, "serve", _serve, "answer OpenAI clients on this machine")
    serve.add_argument("model", help="as for run")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; the default is this machine only")
    serve.add_argument("--port", type=int, default=8080)
    serve.add_argument("--queue", type=int, default=8, help="requests held at a time; more are refused with 503")
    _add_build_options(serve)
    return parser, commands.choices


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run)
    return parser


def _add_answer_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--max-tokens", type=int, default=512, help="longest answer; 0 fills the context")
    parser.add_argument("-t", "--temperature", type=float, default=0.0, help="0 takes the likeliest token")
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--min-p", type=float, default=0.0)
    parser.add_argument("--repetition-penalty", type=float, default=1.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--system", default="", help="system message")
    parser.add_argument("--stop", action="append", default=[], help="text that ends the answer; may be repeated")
    parser.add_argument("-q", "--quiet", action="store_true", help="no statistics")


def _add_build_options(parser: argparse.ArgumentParser) -> None:
    text = "; ".join(f"{name}: {meaning}" for name, meaning in QUALITY.items())
    parser.add_argument("--quality", choices=QUALITY, default="exact", help=text)
    parser.add_argument("--context", type=int, default=0, help="longest sequence; 0 takes the model's")
    parser.add_argument("--threads", type=int, default=0, help="threads; 0 takes all cores")


def _add_quantize(commands: Any) -> None:
    parser = _command(commands, "quantize", _quantize, "make an ONNX graph smaller, and say what it cost")
    parser.add_argument("source", help="a float32 ONNX file or folder; for GGUF or safetensors use export --quality")
    parser.add_argument("-o", "--output", required=True, help="folder to write")
    parser.add_argument("--to", choices=("int8", "int4", "dynamic", "half"), default="int8", help="what to make of it")
    parser.add_argument("--text", help="a text file on which to compare both graphs (perplexity, KL, top-1)")
    parser.add_argument("--tokens", type=int, default=2048, help="tokens of the text to use")
    parser.add_argument("--threads", type=int, default=0)


def graph_options(arguments: argparse.Namespace) -> GraphOptions:
    """Turn the build options into `GraphOptions`."""
    from runtime.graph.decoder import GraphOptions
    from runtime.graph.linear import Precision

    quality = arguments.quality
    weights = {"fast": "exact", "exact": "exact", "float": "float"}.get(quality, quality)
    precision = Precision(weights=weights, fast=quality != "exact", half=getattr(arguments, "half", False))
    genai = getattr(arguments, "genai", False)
    return GraphOptions(
        form="fused" if genai else getattr(arguments, "form", "fused"),
        precision=precision,
        context=arguments.context,
        logits="last" if genai else getattr(arguments, "logits", "keep"),
    )


class _Progress:
    """One line on a terminal that says what is going on; nothing where nobody looks."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._shown = False

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._on:
            print(f"\r\x1b[K{what} {done}/{total}", end="", file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


def open_model(arguments: argparse.Namespace) -> Generator:
    """Fetch, build and load the model of a command."""
    from runtime.model import load
    from runtime.models import locate
    from runtime.session import SessionOptions

    progress = _Progress()
    try:
        place = locate(arguments.model, graph_options(arguments), progress)
    finally:
        progress.clear()
    return load(place, options=SessionOptions(threads=arguments.threads), max_length=arguments.context)


def _run(arguments: argparse.Namespace) -> int:
    from runtime.chat import Chat
    from runtime.sampling import Sampling
    from runtime.settings import Settings

    sampling = Sampling(
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        min_p=arguments.min_p,
        repetition_penalty=arguments.repetition_penalty,
        seed=arguments.seed,
    )
    settings = Settings(
        max_new_tokens=arguments.max_tokens, sampling=sampling, stop=tuple(arguments.stop), overflow="drop"
    )
    model = open_model(arguments)
    question = " ".join(arguments.question)
    if arguments.raw:
        stream = model.stream(question or sys.stdin.read(), settings)
        _show(stream, quiet=arguments.quiet)
        return 0
    chat = Chat(model, system=arguments.system, settings=settings)
    if question:
        _show(chat.ask(question), quiet=arguments.quiet)
        return 0
    return _talk(chat, quiet=arguments.quiet)


def _talk(chat: Chat, *, quiet: bool) -> int:
    """Read questions until the end of the input."""
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            line = input(prompt).strip()
        except EOFError:
            return 0
        if line == "/quit":
            return 0
        if line == "/forget":
            chat.forget()
        elif line:
            try:
                _show(chat.ask(line), quiet=quiet)
            except TokenizerError as error:
                print(f"tokenizers-lite: {error}", file=sys.stderr)


def _show(answer: Answer | Any, *, quiet: bool) -> None:
    """Print an answer as it comes; Ctrl-C ends it, not the program."""

    def stop(*_: object) -> None:
        answer.cancel()

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not the main thread
        before = None
    try:
        for piece in answer:
            print(piece, end="", flush=True)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    print()
    if not quiet:
        print(f"[{answer.stats}]", file=sys.stderr)


def _export(arguments: argparse.Namespace) -> int:
    from runtime.export import export
    from runtime.models import weights

    options = graph_options(arguments)
    if arguments.text:
        _check_comparable(arguments, options)
    progress = _Progress()
    try:
        source = weights(arguments.source, progress)
        done = export(
            source,
            arguments.output,
            options,
            progress=lambda layer, layers: progress("layers", layer, layers),
        )
    finally:
        progress.clear()
    print(f"{done.graph}: {done.parameters / 1e6:.0f} million weights in {done.bytes / 1e6:.0f} MB")
    if arguments.text:
        print(_compare_with_float(source, arguments))
    return 0


def _check_comparable(arguments: argparse.Namespace, options: GraphOptions) -> None:
    from runtime.report import check_text

    check_text(arguments.text, arguments.tokens)
    if options.logits == "last":
        raise UnsupportedError("--text needs logits of every position: export with --logits keep, compare, then ship")


def _compare_with_float(source: str, arguments: argparse.Namespace) -> Comparison:
    """Compare an export with the float32 graph of the same weights, built for the purpose."""
    import tempfile

    from runtime.export import export
    from runtime.graph.decoder import GraphOptions
    from runtime.report import compare

    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(arguments.output))) as folder:
        export(source, folder, GraphOptions(form=graph_options(arguments).form))
        return compare(folder, arguments.output, arguments.text, arguments.tokens, arguments.threads)


def _quantize(arguments: argparse.Namespace) -> int:
    from runtime.quantize import quantize
    from runtime.report import check_text, compare

    if arguments.text:
        check_text(arguments.text, arguments.tokens)
    target = quantize(arguments.source, arguments.output, arguments.to)
    print(f"{target.graph}: {target.before / 1e6:.0f} -> {target.bytes / 1e6:.0f} MB")
    if arguments.text:
        print(compare(arguments.source, arguments.output, arguments.text, arguments.tokens, arguments.threads))
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from runtime.bench import measure

    print(measure(open_model(arguments), arguments.prompt, arguments.new, arguments.repeat))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from runtime.serve import run

    model = open_model(arguments)
    run(model, name=os.path.basename(arguments.model), host=arguments.host, port=arguments.port, queue=arguments.queue)
    return 0
