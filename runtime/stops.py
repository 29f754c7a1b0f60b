"""Stop strings in streamed text: what might be the start of one is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class StopStrings:
    """Passes text through until one of the stop strings appears.

    >>> stops = StopStrings(["</s>"])
    >>> stops.push("Hello <"), stops.push("/"), stops.push("b>")
    ('Hello ', '', '</b>')
    >>> stops.push("x</s>y"), stops.hit
    ('x', '</s>')
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.hit: str | None = None

    def push(self, text: str) -> str:
        """Take text; return what can no longer be part of a stop string."""
        if self.hit is not None:
            return ""
        if not self._stops:
            return text
        held = self._held + text
        found = [(held.find(stop), stop) for stop in self._stops if stop in held]
        if found:
            at, self.hit = min(found)
            self._held = ""
            return held[:at]
        keep = self._possible_start(held)
        self._held = held[len(held) - keep :]
        return held[: len(held) - keep]

    def finish(self) -> str:
        """Return what was held back; no stop string came."""
        held, self._held = self._held, ""
        return held

    def _possible_start(self, text: str) -> int:
        """Length of the longest end of ``text`` that begins a stop string."""
        longest = min(len(text), max(len(stop) for stop in self._stops) - 1)
        for length in range(longest, 0, -1):
            end = text[len(text) - length :]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0
