"""The command line ``tokenizers-lite``: arguments -> exit code.

Exit codes: 0 done, 1 it failed or something would be lost, 2 wrong usage.
Each command is a function in `cli_text`, `cli_models` or another package,
imported when it is asked for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[list[str]], int | None]

USAGE = """\
Exact Hugging Face token ids in pure Python.

  how many tokens a file has         tokenizers-lite README.md
  how many a command writes          git diff | tokenizers-lite
  how many for another model         tokenizers-lite count -m gemma3 README.md
  the ids of a text                  tokenizers-lite encode "Hello, world!"
  a large file's ids for training    tokenizers-lite encode-file corpus.txt -o corpus.bin
  where tokens begin and end         tokenizers-lite encode --pieces "Hello, world!"
  the text of ids                    tokenizers-lite decode 9707 11 1879 0
  the first 1000 tokens of a file    tokenizers-lite truncate 1000 README.md
  a chat as the model reads it       tokenizers-lite chat messages.json
  what is in a vocabulary            tokenizers-lite show qwen3
  which models there are             tokenizers-lite models
  get a model's files                tokenizers-lite fetch gemma2
  models side by side in a browser   tokenizers-lite view README.md
  how fast it is here                tokenizers-lite bench
  a file for MNN or an Android app   tokenizers-lite convert qwen3 -o vocab_Qwen3.txt
  what a vocabulary file holds       tokenizers-lite inspect vocab_Qwen3.txt
  whether it gives the right ids     tokenizers-lite verify vocab_Qwen3.txt qwen3
  whether two files agree            tokenizers-lite diff old.txt new.txt
  run, export, shrink, serve a model tokenizers-lite run | export | quantize | serve --help
  talk to a model; how fast it runs  tokenizers-lite chat smollm2; tokenizers-lite bench smollm2

Every command explains itself with --help. -m takes a model's name (`tokenizers-lite models`),
a hub id, a file or a folder; without it TOKENIZERS_LITE_MODEL is used, or qwen3.
"""

# Command -> module and function. The packages beside this one take the command's name as first argument.
COMMANDS = {
    "count": "tokenizers_lite.cli_text:count",
    "encode": "tokenizers_lite.cli_text:encode",
    "encode-file": "tokenizers_lite.cli_text:encode_file",
    "decode": "tokenizers_lite.cli_text:decode",
    "truncate": "tokenizers_lite.cli_text:truncate",
    "chat": "tokenizers_lite.cli_text:chat",
    "show": "tokenizers_lite.cli_models:show",
    "models": "tokenizers_lite.cli_models:models",
    "fetch": "tokenizers_lite.cli_models:fetch",
    "view": "tokenizers_lite.cli_view:main",
    "bench": "tokenizers_lite.bench:main",
    "convert": "vocab_converters.cli:main",
    "inspect": "vocab_converters.cli:main",
    "verify": "vocab_converters.cli:main",
    "diff": "vocab_converters.cli:main",
    "run": "runtime.cli:main",
    "export": "runtime.cli:main",
    "quantize": "runtime.cli:main",
    "serve": "runtime.cli:main",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except SystemExit as error:  # argparse has said what is wrong
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell reports for a program that SIGPIPE ended
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _failed(error)
    return code


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help", "help") or (not arguments and sys.stdin.isatty()):
        sys.stdout.write(USAGE)
        return 0
    if first in ("-V", "--version"):
        from tokenizers_lite import __version__

        print(f"tokenizers-lite {__version__}")
        return 0
    if first in ("chat", "bench") and _names_weights(arguments[1:2]):
        from runtime.cli import main as runtime_main

        return runtime_main(arguments)
    if first in COMMANDS:
        return _command(first)(arguments[1:]) or 0
    # `count` is the default: of files, of stdin, with its own options in front.
    if not arguments or first.startswith("-") or os.path.exists(first):
        return _command("count")(arguments) or 0
    import difflib

    close = difflib.get_close_matches(first, COMMANDS, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    print(f"tokenizers-lite: no command and no file {first!r}{hint} (--help lists all)", file=sys.stderr)
    return 2


def _names_weights(arguments: list[str]) -> bool:
    """Whether ``chat`` or ``bench`` is asked for a model that runs, rather than for messages or a text."""
    name = arguments[0] if arguments else ""
    if not name or name.startswith("-") or os.path.isfile(name):
        return name.endswith((".gguf", ".onnx"))
    from importlib.util import find_spec

    if find_spec("runtime") is None:
        return False
    from runtime.models import KNOWN, is_graph

    weights = ("config.json", "genai_config.json")
    return name.lower() in KNOWN or (
        os.path.isdir(name) and (is_graph(name) or any(os.path.exists(os.path.join(name, file)) for file in weights))
    )


def _command(name: str) -> Command:
    """Import the function of a command."""
    from importlib import import_module

    module, _, function = COMMANDS[name].partition(":")
    try:
        run: Command = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name not in (module, module.partition(".")[0]):
            raise
        missing = f"the command {name} needs {module}, which is not installed here"

        def run(_: list[str]) -> int:
            print(f"tokenizers-lite: {missing}", file=sys.stderr)
            return 1

        return run
    if module.startswith("tokenizers_lite."):
        return run
    return lambda arguments: run([name, *arguments])


def _failed(error: Exception) -> int:
    """Say what went wrong, if it is something a user can act on; else let Python show where it happened."""
    from tokenizers_lite.errors import TokenizerError

    if not isinstance(error, (TokenizerError, OSError)):
        raise error
    print(f"tokenizers-lite: {error}", file=sys.stderr)
    return 1
