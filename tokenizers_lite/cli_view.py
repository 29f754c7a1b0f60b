"""``tokenizers-lite view``: a text -> the page that shows its tokens."""

from __future__ import annotations

import os

from tokenizers_lite import _terminal

# Models that the installed package holds, one of each kind of vocabulary.
_MODELS = ("qwen3", "smollm2", "phi3.5")


def main(argv: list[str]) -> int:
    """Run ``tokenizers-lite view``."""
    import argparse
    import sys

    from tokenizers_lite import cli_text, load
    from tokenizers_lite.view import LIMIT, render

    made = argparse.ArgumentParser(
        prog="tokenizers-lite view",
        description="Make an HTML page that shows the tokens of a text under several models side by side.",
        epilog="Without -o the page is written to stdout, or on a terminal to a temporary file that the browser shows.",
    )
    first = os.environ.get("TOKENIZERS_LITE_MODEL")
    default = tuple(dict.fromkeys((first, *_MODELS))) if first else _MODELS
    made.add_argument("file", nargs="?", default="-", help="a file; without it, or for -, stdin is read")
    made.add_argument("-t", "--text", help="the text itself")
    made.add_argument(
        "-m",
        "--model",
        action="append",
        help=f"name, hub id, file or folder; may be repeated (default: {', '.join(default)})",
    )
    made.add_argument("-o", "--output", metavar="FILE", help="write the page to a file (- is stdout)")
    made.add_argument("--open", action="store_true", help="show the page in the browser")
    made.add_argument("--limit", type=int, default=LIMIT, help="characters to show, 0 for all (default: %(default)s)")
    made.add_argument("--errors", choices=("strict", "replace"), default="strict", help="on input that is not UTF-8")
    made.add_argument("--offline", action="store_true", default=None, help="never use the network")
    cli_text.add_specials(made)
    options = made.parse_args(argv)
    if options.limit < 0:
        made.error("--limit cannot be negative")
    text = _terminal.read(options.file, options.errors) if options.text is None else options.text
    tokenizers = {name: load(name, offline=options.offline) for name in options.model or default}
    title = (
        "Tokens" if options.text is not None or options.file == "-" else f"Tokens of {os.path.basename(options.file)}"
    )
    limit = options.limit or max(len(text), 1)
    page = render(text, tokenizers, title=title, limit=limit, **cli_text.specials(options))
    return _deliver(page.encode(), options.output, show=options.open, terminal=sys.stdout.isatty())


def _deliver(page: bytes, output: str | None, *, show: bool, terminal: bool) -> int:
    """Put the page where it is wanted."""
    import sys

    if output == "-" or (output is None and not terminal and not show):
        sys.stdout.buffer.write(page)
        return 0
    if output is None:
        import tempfile

        with tempfile.NamedTemporaryFile(prefix="tokens-", suffix=".html", delete=False) as made:
            made.write(page)
        output, show = made.name, True
    else:
        with open(output, "wb") as file:
            file.write(page)
    print(output)
    if show:
        import pathlib
        import webbrowser

        webbrowser.open(pathlib.Path(output).resolve().as_uri())
    return 0
