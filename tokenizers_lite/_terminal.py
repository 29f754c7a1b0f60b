"""Text in from files, stdin and arguments; text out as bytes; token boundaries in colours."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tokenizers_lite.encoding import Encoding

# Backgrounds that black text can be read on, in turn.
COLOURS = (151, 223, 153, 218, 229, 189)
RESET = "\x1b[0m"


def read(path: str, errors: str = "strict") -> str:
    """Read a file, or stdin for ``-``, as it is: UTF-8, no newline changed.

    Raises:
        OSError: the file cannot be read, or it is not UTF-8 and `errors` is "strict".
    """
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    try:
        return data.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        name = "stdin" if path == "-" else path
        raise OSError(f"{name} is not UTF-8 (byte {error.start:,}); --errors replace reads it all the same") from None


def write(text: str) -> None:
    """Write text to stdout as UTF-8, whatever the locale; lone surrogates become question marks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def texts(options: argparse.Namespace) -> Iterator[str]:
    """Yield the texts a command works on: its arguments, or those of files or stdin, whole or cut up."""
    if options.text:
        yield " ".join(options.text)
        return
    for path in options.file or ["-"]:
        whole = read(path, options.errors)
        separator = "\n" if options.lines else "\0" if options.null else None
        if separator is None:
            yield whole
        else:
            pieces = whole.split(separator)
            yield from pieces[:-1] if pieces[-1] == "" else pieces


def use_colour(when: str) -> bool:
    """Decide on colours: always, never, or on a terminal unless NO_COLOR is set (no-color.org)."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def spans(text: str, encoding: Encoding) -> Iterator[tuple[str, Sequence[int]]]:
    """Cut a text at the boundaries of its tokens: pieces with the indices of their tokens.

    Tokens that share a character come together, characters without a token
    (dropped by the normalizer) come with none, added tokens (BOS) with no text.
    """
    end = 0
    group: list[int] = []
    start = 0
    for index, (a, b) in enumerate(encoding.offsets):
        if encoding.special_tokens_mask[index] and a == b:
            if group:
                yield text[start:end], group
                group = []
            yield "", [index]
            continue
        if group and (a < end or a == b):
            group.append(index)
            end = max(end, b)
            continue
        if group:
            yield text[start:end], group
        if a > end:
            yield text[end:a], []
        group, start, end = [index], a, b
    if group:
        yield text[start:end], group
    if end < len(text):
        yield text[end:], []


def visible(text: str) -> str:
    r"""Show what could not be seen: control characters escaped, newlines as a sign before the break.

    >>> visible("a\tb\n")
    'a\\tb⏎\n'
    """
    shown = []
    for char in text:
        if char == "\n":
            shown.append("⏎\n")
        elif char.isprintable() or char == " ":
            shown.append(char)
        else:
            shown.append(char.encode("unicode_escape").decode())
    return "".join(shown)


def painted(text: str, encoding: Encoding, *, colour: bool) -> str:
    """Return a text with the boundaries of its tokens: backgrounds in turn, or bars between tokens."""
    parts = []
    turn = 0
    for piece, tokens in spans(text, encoding):
        shown = visible(piece) if piece or not tokens else visible(encoding.tokens[tokens[0]])
        if not colour:
            parts.append(shown if tokens else f"({shown})")
        elif not tokens:
            parts.append(shown)
        elif not piece:
            parts.append(f"\x1b[7m{shown}{RESET}")  # reverse video: not in the text
        else:
            paint = f"\x1b[30;48;5;{COLOURS[turn % len(COLOURS)]}m"
            lines = [paint + line + RESET if line else "" for line in shown.split("\n")]
            parts.append("\n".join(lines))
            turn += 1
    return ("" if colour else "|").join(parts)
