"""The commands convert, inspect, verify and diff: arguments -> exit code.

Exit codes: 0 done and equal, 1 ids differ (nothing was written unless
--allow-loss), 2 wrong arguments or a file that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys

from tokenizers_lite.errors import LossyExportError, TokenizerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vocab_converters.fidelity import Report

EXAMPLES = """tasks:
  a file for Native-LLM-for-Android      tokenizers-lite convert qwen3 -o vocab_Qwen3.txt
  a file for MNN                         tokenizers-lite convert qwen3 --reader mnn -o tokenizer.mtok
  a text vocabulary for an older app     tokenizers-lite convert minicpm --to mnn-text --reader native-llm -o vocab.txt
  a tokenizer.json from anything         tokenizers-lite convert model.gguf -o tokenizer.json
  what is this file?                     tokenizers-lite inspect vocab_Qwen3.txt
  does it give the right ids?            tokenizers-lite verify vocab_Qwen3.txt qwen3 --cases mine.txt
  do two files agree?                    tokenizers-lite diff old.txt new.txt
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; argv excludes the program's name."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except LossyExportError as error:
        _print_report(error.report, arguments.json)
        print(f"not written: {arguments.output} (--allow-loss writes it all the same)", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough: the command's own affair
        raise
    except (TokenizerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return code


def parser() -> argparse.ArgumentParser:
    """Build the argument parser."""
    top = argparse.ArgumentParser(
        prog="tokenizers-lite",
        description="Make, describe and check vocabulary files.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_convert(commands)
    inspecting = commands.add_parser("inspect", help="describe a 430 file and warn of what its readers make of it")
    inspecting.add_argument("file")
    inspecting.add_argument("--json", action="store_true", help="print JSON")
    inspecting.set_defaults(run=_inspect)
    verifying = commands.add_parser("verify", help="compare a file, as its reader sees it, with a tokenizer")
    verifying.add_argument("file")
    verifying.add_argument("source", help="name, folder or file of the tokenizer it should be")
    _add_common(verifying)
    verifying.add_argument("--no-vocabulary", action="store_true", help="do not try every token")
    verifying.set_defaults(run=_verify)
    differing = commands.add_parser("diff", help="compare two tokenizers or files text by text")
    differing.add_argument("first")
    differing.add_argument("second")
    _add_common(differing)
    differing.set_defaults(run=_diff)
    return top


def _add_convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the convert command."""
    from vocab_converters._targets import TARGETS

    converting = commands.add_parser(
        "convert",
        help="write a tokenizer as another file, proven before it is written",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    converting.add_argument("source", help="name, folder or file of the tokenizer")
    converting.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")
    converting.add_argument("--to", default="auto", metavar="TARGET", help=f"auto, {', '.join(TARGETS)}")
    converting.add_argument("--allow-loss", action="store_true", help="write the file although ids will differ")
    converting.add_argument("--tail", choices=("newer", "older"), default="newer", help="how .mtok files end")
    converting.add_argument("--whole-runs", action="store_true", help="do not cut runs of over 512 letters in .mtok")
    converting.add_argument(
        "--compose", action="store_true", help="replace common letter+mark pairs where .mtok lacks NFC"
    )
    converting.add_argument("--no-manifest", action="store_true", help="do not write FILE.manifest.json")
    converting.add_argument("--test-cases", action="store_true", help="write MNN's test_cases.jsonl beside the file")
    converting.add_argument("--no-vocabulary", action="store_true", help="do not try every token")
    _add_common(converting)
    converting.set_defaults(run=_convert)


def _add_common(command: argparse.ArgumentParser) -> None:
    """Add what all comparing commands take."""
    readers = "auto, mnn-llm (2025-01), native-llm (2026-07), mnn (2026-08)"
    command.add_argument("--reader", default="auto", help=f"the C++ that loads the file: {readers}")
    command.add_argument("--cases", metavar="FILE", help="further texts: lines, or .jsonl with 'text'")
    command.add_argument("--json", action="store_true", help="print the report as JSON")


def _convert(arguments: argparse.Namespace) -> int:
    from vocab_converters._convert import convert

    report = convert(
        arguments.source,
        arguments.output,
        target=arguments.to,
        reader=arguments.reader,
        allow_loss=arguments.allow_loss,
        cases=arguments.cases,
        whole_vocabulary=not arguments.no_vocabulary,
        tail=arguments.tail,
        cap_runs=not arguments.whole_runs,
        compose=arguments.compose,
        manifest=not arguments.no_manifest,
        test_cases=arguments.test_cases,
        progress=_progress,
    )
    _print_report(report, arguments.json)
    print(f"written: {arguments.output}", file=sys.stderr)
    return 0 if report.exact else 1


def _inspect(arguments: argparse.Namespace) -> int:
    from vocab_converters._inspect import inspect

    info = inspect(arguments.file)
    if arguments.json:
        print(json.dumps({"path": info.path, **info.facts, "warnings": info.warnings}, ensure_ascii=False, indent=2))
    else:
        print(info)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from vocab_converters._inspect import verify

    report = verify(
        arguments.file,
        arguments.source,
        reader=arguments.reader,
        cases=arguments.cases,
        whole_vocabulary=not arguments.no_vocabulary,
        progress=_progress,
    )
    _print_report(report, arguments.json)
    return 0 if report.exact else 1


def _diff(arguments: argparse.Namespace) -> int:
    from vocab_converters._inspect import diff

    report = diff(arguments.first, arguments.second, reader=arguments.reader, cases=arguments.cases, progress=_progress)
    _print_report(report, arguments.json)
    return 0 if report.exact else 1


def _print_report(report: Report, as_json: bool) -> None:
    """Print a report for people or machines."""
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2) if as_json else str(report)
    data = f"{text}\n".encode("utf-8", "backslashreplace")
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(data.decode("utf-8"))
    else:
        buffer.write(data)
        buffer.flush()


def _progress(label: str, done: int, total: int) -> None:
    """Draw progress on a terminal."""
    from tokenizers_lite.progress import wanted

    if wanted(sys.stderr):
        end = "\r" + " " * 60 + "\r" if done >= total else ""
        sys.stderr.write(f"\r{label} {done}/{total} texts{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
