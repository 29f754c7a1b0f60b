"""A progress bar of one line on stderr, shown only where somebody can see it."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

WIDTH = 24  # cells of the bar
PERIOD = 0.1  # seconds between two drawings


def wanted(stream: TextIO) -> bool:
    """Say whether to draw: a terminal, and nobody switched bars off."""
    from tokenizers_lite._paths import flag

    if os.environ.get("TERM") == "dumb" or flag("TOKENIZERS_LITE_NO_PROGRESS") or flag("HF_HUB_DISABLE_PROGRESS_BARS"):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def line(label: str, done: int, total: int | None) -> str:
    """Draw one state of the bar.

    >>> line("tokenizer.json", 3_500_000, 7_000_000)
    'tokenizer.json [############............]  50% 3.5/7.0 MB'
    """
    if not total:
        return f"{label} {done / 1e6:.1f} MB"
    part = min(done / total, 1.0)
    bar = ("#" * int(part * WIDTH)).ljust(WIDTH, ".")
    return f"{label} [{bar}] {part * 100:3.0f}% {done / 1e6:.1f}/{total / 1e6:.1f} MB"


class Bar:
    """Show how much of something has arrived; a context manager that clears its line at the end."""

    def __init__(self, label: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._stream = sys.stderr if stream is None else stream
        self._shown = 0  # length of what is on the line
        self._next = 0.0
        self._on = self._stream is not None and wanted(self._stream)

    def update(self, count: int) -> None:
        """Add `count` bytes to what has arrived."""
        self.done += count
        if self._on and time.monotonic() >= self._next:
            self._next = time.monotonic() + PERIOD
            self._draw(line(self.label, self.done, self.total))

    def _draw(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._shown))
        self._stream.flush()
        self._shown = len(text)

    def __enter__(self) -> Bar:  # noqa: PYI034 - Self would need typing_extensions on Python 3.10
        if self._on:
            self._draw(f"{self.label} ...")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()
