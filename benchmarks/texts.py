"""Texts to measure on: real ones, 5 MB a corpus where this machine has them, else made on the spot.

The corpora of ``../shared/corpora`` come first. Where they are short, further
text of the same kind is taken from what is installed here: LibreOffice's help
(Debian's ``libreoffice-help-zh-cn`` and ``-en-gb``), the Rust books, Python's
standard library. `corpora` says what was used, so that a table can.
"""

from __future__ import annotations

import base64
import html
import os
import random
import re
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tokenizers_lite.bench import builtin_text

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or Path(__file__).resolve().parents[2] / "shared")
CORPORA = ("en", "zh", "code", "mixed")
SIZE = 5_000_000  # bytes of a corpus
DOCUMENT = 8192  # bytes of a document, about
_FILES = {
    "en": ("en_handbook_guide.txt",),
    "zh": ("zh_fortunes_poems.txt",),
    "code": ("code_python_js_html.txt",),
    "ru": ("ru.txt",),
    "ja": ("ja.txt",),
    "hi": ("hi.txt",),
}
_HELP = "/usr/share/libreoffice/help"
_STDLIB = sysconfig.get_path("stdlib")
# Corpus -> (what it is, where it may be).
_FURTHER = {
    "en": (
        ("LibreOffice help", _HELP, "en-GB/**/*.html"),
        ("Rust books", "~/.rustup/toolchains", "stable*/share/doc/rust/html/*/print.html"),
    ),
    "zh": (("LibreOffice help", _HELP, "zh-CN/**/*.html"),),
    "code": (("Python's standard library", _STDLIB, "*.py"),),
}


class Corpus(NamedTuple):
    """Documents, and what they are."""

    documents: list[str]
    source: str

    @property
    def size(self) -> int:
        """Bytes of UTF-8."""
        return sum(len(text.encode()) for text in self.documents)


@cache
def corpus(name: str) -> Corpus:
    """Return a corpus of up to `SIZE` bytes, cut into documents and shuffled the same way each time."""
    if not (SHARED / "corpora").is_dir():
        return Corpus(_shuffled(_made(name)), "made up")
    if name == "mixed":
        share = SIZE // len(_FILES)
        parts = [first(corpus(part).documents, share) for part in _FILES]
        return Corpus(_shuffled([text for part in parts for text in part]), f"equal parts of {', '.join(_FILES)}")
    found, used, size = [], [], 0
    for source, text in _texts(name):
        if source not in used:
            used.append(source)
        for document in _documents(text):
            found.append(document)
            size += len(document.encode())
        if size >= SIZE:
            break
    return Corpus(_shuffled(first(found, SIZE)), " + ".join(used))


def _texts(name: str) -> Iterator[tuple[str, str]]:
    """Yield (what it is, text), the corpora proper first."""
    for file in _FILES[name]:
        yield file.removesuffix(".txt"), (SHARED / "corpora" / file).read_text("utf-8")
    seen: set[str] = set()
    for source, folder, pattern in _FURTHER.get(name, ()):
        gathered: list[str] = []
        for path in sorted(Path(folder).expanduser().glob(pattern)):
            text = path.read_text("utf-8", "replace")
            if path.suffix == ".html":
                text = _unmarked(text, seen)
            gathered.append(text)
            if sum(map(len, gathered)) > 100_000:
                yield source, "".join(gathered)
                gathered.clear()
        yield source, "".join(gathered)


def _unmarked(page: str, seen: set[str]) -> str:
    """Return the text of an HTML page without lines that have come before, such as menus."""
    page = re.sub(r"(?s)<(script|style|head|header|aside|nav|footer)\b.*?</\1>|<!--.*?-->", "", page)
    lines = html.unescape(re.sub("<[^>]*>", "", page)).splitlines()
    fresh = [line for line in map(str.strip, lines) if line and line not in seen]
    seen.update(fresh)
    return "\n".join(dict.fromkeys(fresh)) + "\n" if fresh else ""


def _documents(text: str, size: int = DOCUMENT) -> Iterator[str]:
    """Cut a text at ends of lines into documents of some `size` bytes of UTF-8."""
    lines: list[str] = []
    filled = 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        filled += len(line.encode())
        if filled >= size:
            yield "".join(lines)
            lines, filled = [], 0
    if lines:
        yield "".join(lines)


def first(documents: list[str], size: int) -> list[str]:
    """Return the first documents that together have `size` bytes, or all."""
    for count, document in enumerate(documents, 1):
        size -= len(document.encode())
        if size <= 0:
            return documents[:count]
    return documents


def _made(name: str) -> list[str]:
    """Return documents for machines without the corpora."""
    rng = random.Random(5)  # noqa: S311
    chinese = "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就"
    if name == "zh":
        text = "".join(rng.choice(chinese) + rng.choice(("", "", "", "", "", "，", "。\n")) for _ in range(600_000))
    elif name == "code":
        sources = sorted(Path(__file__).resolve().parents[1].glob("tokenizers_lite/**/*.py"))
        text = "\n".join(path.read_text("utf-8") for path in sources)
    else:
        text = builtin_text(2_000_000)
        if name == "en":
            text = "".join(char if char.isascii() else " " for char in text)
    return list(_documents(text))


def _shuffled(parts: list[str]) -> list[str]:
    """Return the documents in an order that mixes the subjects of a corpus, the same each time."""
    parts = list(dict.fromkeys(parts))  # a document that comes twice would not be new
    random.Random(3).shuffle(parts)  # noqa: S311
    return parts


def pathological(size: int) -> dict[str, str]:
    """Return texts of `size` characters that make tokenizers slow."""
    rng = random.Random(7)  # noqa: S311
    return {
        "one letter": "a" * size,
        "spaces": " " * size,
        "newlines": "\n" * size,
        "CJK": "".join(map(chr, rng.choices(range(0x4E00, 0x9FA6), k=size))),
        "one CJK character": "中" * size,
        "base64": base64.b64encode(rng.randbytes(size))[:size].decode(),
        "emoji": ("👩\u200d👩\u200d👧" * (size // 5 + 1))[:size],
    }
