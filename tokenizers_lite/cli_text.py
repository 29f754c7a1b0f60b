"""Commands on text: count, encode, decode, truncate, chat."""

from __future__ import annotations

import argparse
import json
import os
import sys

from tokenizers_lite import _terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.tokenizer import Tokenizer

DEFAULT_MODEL = "qwen3"


def parser(command: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """Make a command's parser with the options that choose the model."""
    made = argparse.ArgumentParser(
        prog=f"tokenizers-lite {command}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = os.environ.get("TOKENIZERS_LITE_MODEL", DEFAULT_MODEL)
    made.add_argument("-m", "--model", default=default, help=f"name, hub id, file or folder (default: {default})")
    made.add_argument("--revision", help="branch, tag or commit of the hub's repository")
    made.add_argument("--offline", action="store_true", default=None, help="never use the network")
    return made


def add_input(made: argparse.ArgumentParser, *, texts: bool) -> None:
    """Add the options that say where text comes from and how it is cut up."""
    if texts:
        made.add_argument("text", nargs="*", help="text; without it stdin is read")
        made.add_argument("-f", "--file", action="append", help="read a file (may be repeated; - is stdin)")
    else:
        made.add_argument("file", nargs="*", help="files; without them, or for -, stdin is read")
        made.set_defaults(text=[])
    made.add_argument("-l", "--lines", action="store_true", help="each line is a text of its own")
    made.add_argument("-0", "--null", action="store_true", help="texts are separated by NUL")
    made.add_argument("--errors", choices=("strict", "replace"), default="strict", help="on input that is not UTF-8")


def add_specials(made: argparse.ArgumentParser) -> None:
    """Add the options about special tokens."""
    made.add_argument("--no-special", action="store_true", help="add no BOS, [CLS] and so on around the text")
    made.add_argument("--plain", action="store_true", help="special tokens in the text are plain text")


def specials(options: argparse.Namespace) -> dict[str, Any]:
    """Turn the options about special tokens into arguments of `encode` and `count`."""
    return {
        "add_special_tokens": not options.no_special,
        "allowed_special": frozenset() if options.plain else "all",
    }


def load(options: argparse.Namespace) -> Tokenizer:
    """Load the model the options name."""
    from tokenizers_lite import load as load_tokenizer

    return load_tokenizer(options.model, revision=options.revision, offline=options.offline)


def dump(value: Any) -> None:
    """Write a value as a line of JSON."""
    _terminal.write(json.dumps(value, ensure_ascii=False) + "\n")


def count(arguments: list[str]) -> int:
    """Count the tokens of files or stdin."""
    made = parser("count", "Count the tokens of files or stdin.", "Exit code 1 if there are more than --max tokens.")
    add_input(made, texts=False)
    add_specials(made)
    made.add_argument("--max", type=int, help="fail if all together have more tokens than this")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(arguments)
    tokenizer = load(options)
    total = 0
    rows: list[dict[str, Any]] = []
    for path in options.file or ["-"]:
        one = argparse.Namespace(**{**vars(options), "file": [path]})
        for text in _terminal.texts(one):
            found = tokenizer.count(text, **specials(options))
            total += found
            rows.append({"file": path, "tokens": found, "characters": len(text)})
            if not options.json:
                named = bool(options.file) and not (options.lines or options.null)
                _terminal.write(f"{found}\t{path}\n" if named else f"{found}\n")
    if options.json:
        dump({"model": options.model, "tokens": total, "texts": rows})
    elif len(options.file) > 1 and not (options.lines or options.null):
        _terminal.write(f"{total}\ttotal\n")
    if options.max is not None and total > options.max:
        print(f"tokenizers-lite: {total:,} tokens are more than {options.max:,}", file=sys.stderr)
        return 1
    return 0


def encode(arguments: list[str]) -> int:
    """Turn text into ids."""
    made = parser("encode", "Turn text into ids: one line of ids for each text.")
    add_input(made, texts=True)
    add_specials(made)
    output = made.add_mutually_exclusive_group()
    output.add_argument("-p", "--pieces", action="store_true", help="show where tokens begin and end, then the ids")
    output.add_argument("-t", "--tokens", action="store_true", help="one token a line: id, token, start, end")
    output.add_argument("--json", action="store_true", help="one JSON object for each text: ids, tokens, offsets")
    made.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours for --pieces")
    options = made.parse_args(arguments)
    if options.text and options.file:
        made.error("give either text or --file")
    tokenizer = load(options)
    for text in _terminal.texts(options):
        if not (options.pieces or options.tokens or options.json):
            _terminal.write(" ".join(map(str, tokenizer.encode(text, **specials(options)))) + "\n")
            continue
        encoding = tokenizer.encode_with_offsets(text, **specials(options))
        rows = zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True)
        if options.json:
            dump({"ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets})
        elif options.tokens:
            _terminal.write("".join(f"{i}\t{json.dumps(t, ensure_ascii=False)}\t{a}\t{b}\n" for i, t, (a, b) in rows))
        else:
            shown = _terminal.painted(text, encoding, colour=_terminal.use_colour(options.color))
            _terminal.write(shown.rstrip("\n") + "\n" + " ".join(map(str, encoding.ids)) + "\n")
    return 0


def encode_file(arguments: list[str]) -> int:
    """Write the ids of a large file."""
    made = parser(
        "encode-file",
        "Write the ids of a text to a file of bare little-endian numbers, as training code maps them.",
        "The text may be larger than memory; the ids are those of the whole text.",
    )
    made.add_argument("file", nargs="?", default="-", help="text in UTF-8; without it, or for -, stdin is read")
    made.add_argument("-o", "--output", required=True, help="file to write; it appears complete or not at all")
    made.add_argument("--dtype", choices=("uint16", "uint32"), help="default: the smallest that holds every id")
    made.add_argument("--errors", choices=("strict", "replace"), default="strict", help="on input that is not UTF-8")
    add_specials(made)
    options = made.parse_args(arguments)
    source = sys.stdin.buffer if options.file == "-" else options.file
    count, dtype = load(options).encode_file(
        source, options.output, dtype=options.dtype, errors=options.errors, **specials(options)
    )
    _terminal.write(f"{count:,} ids as {dtype} in {options.output}\n")
    return 0


def decode(arguments: list[str]) -> int:
    """Turn ids into text."""
    made = parser("decode", "Turn ids (separated by blanks or commas, or JSON arrays) into text.")
    made.add_argument("ids", nargs="*", help="ids; without them stdin is read")
    made.add_argument("-l", "--lines", action="store_true", help="each line of stdin is a text of its own")
    made.add_argument("-k", "--keep-special", action="store_true", help="write special tokens too")
    made.add_argument("--json", action="store_true", help="print each text as a JSON string")
    options = made.parse_args(arguments)
    source = " ".join(options.ids) or _terminal.read("-")
    rows = source.splitlines() if options.lines else [source]
    try:
        batch = [[int(part) for part in row.translate(_SEPARATORS).split()] for row in rows]
    except ValueError as error:
        made.error(f"ids are whole numbers ({error})")
    tokenizer = load(options)
    for ids in batch:
        text = tokenizer.decode(ids, skip_special_tokens=not options.keep_special)
        if options.json:
            dump(text)
        else:  # exactly the text, but for lines and for a terminal, which want an end
            _terminal.write(text + ("\n" if options.lines or sys.stdout.isatty() else ""))
    return 0


_SEPARATORS = str.maketrans(",[]\n\t", "     ")


def truncate(arguments: list[str]) -> int:
    """Cut text after a number of tokens."""
    made = parser("truncate", "Write as much of a text as fits into a number of tokens, cut between characters.")
    made.add_argument("max", type=int, help="how many tokens")
    add_input(made, texts=False)
    add_specials(made)
    options = made.parse_args(arguments)
    if options.max < 0:
        made.error("the number of tokens cannot be negative")
    tokenizer = load(options)
    end = "\n" if options.lines else "\0" if options.null else ""
    for text in _terminal.texts(options):
        _terminal.write(tokenizer.truncate(text, options.max, **specials(options)) + end)
    return 0


CHAT_INPUT = """\
The conversation is JSON in a file or on stdin: a list of messages, or an object with "messages" and
whatever else the template takes ("tools", "documents", ...):

  [{"role": "user", "content": "Hi"}]

--system, --user and --assistant add messages without a file, in the order given.
"""


def chat(arguments: list[str]) -> int:
    """Render a conversation with the model's chat template."""
    made = parser("chat", "Show a conversation as the model reads it.", CHAT_INPUT)
    made.add_argument("file", nargs="?", help="JSON file (- or nothing: stdin, unless messages are given below)")
    for role in ("system", "user", "assistant"):
        made.add_argument(f"--{role}", action=_Message, dest="messages", metavar="TEXT", help=f"add a {role} message")
    made.add_argument("--tools", metavar="FILE", help="JSON file with tool descriptions")
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a template variable, as JSON")
    made.add_argument("--template", metavar="NAME", help="which of the model's templates")
    made.add_argument("--no-prompt", action="store_true", help="do not open the assistant's turn at the end")
    made.add_argument("--safe", action="store_true", help="special tokens in messages are plain text (with --ids)")
    made.add_argument("--ids", action="store_true", help="print ids instead of text")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(arguments)
    if options.safe and not options.ids:
        made.error("--safe needs --ids: text cannot tell a special token from its spelling")
    conversation = _conversation(options, made)
    if not options.no_prompt:
        conversation.setdefault("add_generation_prompt", True)
    result = load(options).apply_chat_template(
        conversation.pop("messages"), tokenize=options.ids, safe=options.safe, **conversation
    )
    if options.json:
        dump(result)
    elif isinstance(result, str):
        _terminal.write(result + ("\n" if sys.stdout.isatty() and not result.endswith("\n") else ""))
    else:
        _terminal.write(" ".join(map(str, result)) + "\n")
    return 0


class _Message(argparse.Action):
    """Collect --system, --user and --assistant in their order."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's signature
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        messages = [*(namespace.messages or []), {"role": (option_string or "").lstrip("-"), "content": values}]
        namespace.messages = messages


def _conversation(options: argparse.Namespace, made: argparse.ArgumentParser) -> dict[str, Any]:
    """Gather the messages and the template's variables from file, stdin and options."""
    found: Any = {"messages": []}
    if options.file or not options.messages:
        found = _json(options.file or "-", made)
    conversation = {"messages": found} if isinstance(found, list) else found
    if not isinstance(conversation, dict) or not isinstance(conversation.get("messages"), list):
        made.error('expected a JSON list of messages, or an object with "messages"')
    conversation["messages"] = conversation["messages"] + (options.messages or [])
    if options.tools:
        conversation["tools"] = _json(options.tools, made)
    if options.template:
        conversation["chat_template"] = options.template
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals or not name.isidentifier():
            made.error(f"--set takes NAME=VALUE, not {setting!r}")
        try:
            conversation[name] = json.loads(value)
        except ValueError:
            conversation[name] = value  # a bare word is a string
    return conversation


def _json(path: str, made: argparse.ArgumentParser) -> Any:
    try:
        return json.loads(_terminal.read(path))
    except ValueError as error:
        made.error(f"{'stdin' if path == '-' else path} is not JSON: {error}")
