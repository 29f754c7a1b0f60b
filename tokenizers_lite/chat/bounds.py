"""Bounds of one rendering: steps, work, output, depth and time, counted without threads or signals.

A template comes from a downloaded file, so it may loop for ever or ask for
gigabytes. Every operation that can take long or grow is preceded by a `step`
or a `charge` here; what goes over raises `BoundExceeded`, which the public
functions turn into `TemplateError`.

Costs are in characters; one container slot costs `SLOT` of them. `weigh` is
the size of a value *written out*: a list that holds the same list twice weighs
twice, because that is what printing it costs.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

SLOT = 8
MAX_NESTING = 200  # of containers; Python's own limit is not far above
_CONTAINERS = (list, tuple, dict, set, frozenset)


class BoundExceeded(Exception):  # noqa: N818 - never leaves the package
    """A template went over a bound; the text names it and its value."""


class Limits(Record):
    """What one rendering may use. The `_per_char` parts grow with the input.

    A conversation of 4,000 turns uses under 1 % of the steps and 12 % of the
    work that the defaults allow it; hostile templates are stopped within ten
    seconds and below 200 MB.
    """

    steps: int = 1_000_000  # loop rounds, calls, filters, operators
    steps_per_char: int = 10
    work: int = 16_000_000  # characters copied or created
    work_per_char: int = 64
    output: int = 16_000_000  # characters of the result
    output_per_char: int = 8
    depth: int = 100  # macros, blocks and recursive loops inside each other
    seconds: float = 10.0
    source: int = 100_000  # characters of the template itself


class Budget:
    """What is left of the `Limits` during one rendering."""

    __slots__ = ("_deadline", "_memo", "depth", "limits", "output", "size", "steps", "work")

    def __init__(self, limits: Limits, given: Any = None) -> None:
        self.limits = limits
        self._memo: dict[int, tuple[Any, int, int]] = {}
        self.size = 2**62  # nothing is refused before the input is weighed
        weight = self.weigh(given)
        self.steps = limits.steps + limits.steps_per_char * weight
        self.work = self.size = limits.work + limits.work_per_char * weight
        self.output = limits.output + limits.output_per_char * weight
        self.depth = limits.depth
        self._deadline = monotonic() + limits.seconds

    def step(self, cost: int = 0) -> bool:
        """Count one operation of the given cost. True, so that it fits into a condition."""
        self.steps -= 1
        self.work -= cost
        if self.work < 0:
            raise BoundExceeded(f"more than the allowed {self.size} characters of work (Limits.work)")
        if self.steps < 0:
            raise BoundExceeded("more than the allowed operations (Limits.steps)")
        if not self.steps & 15 and monotonic() > self._deadline:
            raise BoundExceeded(f"more than {self.limits.seconds} seconds (Limits.seconds)")
        return True

    def emit(self, chars: int) -> None:
        """Count characters of the final text."""
        self.output -= chars
        if self.output < 0:
            raise BoundExceeded("longer than the allowed output (Limits.output)")

    def enter(self) -> None:
        """Go one call deeper; `leave` comes back."""
        self.depth -= 1
        if self.depth < 0:
            raise BoundExceeded(f"calls nested deeper than {self.limits.depth} (Limits.depth)")

    def leave(self) -> None:
        """Come back from a call."""
        self.depth += 1

    def close(self) -> None:
        """Let go of the values it kept."""
        self._memo.clear()

    def weigh(self, value: Any) -> int:
        """Characters the value takes when written out, shared parts counted each time.

        Raises:
            BoundExceeded: it would take more than the work bound, or is nested too deeply.
        """
        return self._measure(value)[0]

    def nesting(self, value: Any) -> int:
        """How deep containers lie inside each other in the value."""
        return self._measure(value)[1]

    def _measure(self, value: Any, above: int = 0) -> tuple[int, int]:
        """Weight and nesting; each container is walked once."""
        if isinstance(value, (str, bytes, bytearray)):
            return len(value), 0
        if not isinstance(value, _CONTAINERS):
            return (value.bit_length() // 3 if isinstance(value, int) else SLOT), 0
        known = self._memo.get(id(value))
        if known is not None:
            return known[1:]
        weight, nesting = SLOT * len(value), 0
        parts = (part for pair in value.items() for part in pair) if isinstance(value, dict) else value
        for part in parts:
            more, deeper = self._measure(part, above + 1) if above < MAX_NESTING else (0, MAX_NESTING)
            weight, nesting = weight + more, max(nesting, deeper)
            if weight > self.size:
                raise BoundExceeded(f"a value larger than {self.size} characters (Limits.work)")
        if nesting >= MAX_NESTING:
            raise BoundExceeded(f"a value nested deeper than {MAX_NESTING}")
        # Kept alive with its weight: an id is only good while its object lives.
        self._memo[id(value)] = (value, weight, nesting + 1)
        return weight, nesting + 1

    def made(self, value: Any) -> Any:
        """Count a value just created: text by its length, a container by its slots. Returns it."""
        if isinstance(value, (str, bytes, bytearray)):
            self.step(len(value))
        elif isinstance(value, _CONTAINERS):
            self.step(SLOT * len(value))
            self.weigh(value)
        else:
            self.step()
        return value

    def ticking(self, items: Iterable[Any]) -> Iterator[Any]:
        """Give the same items, each one counted."""
        for item in items:
            self.step(SLOT)
            yield item


_current: ContextVar[Budget] = ContextVar("tokenizers_lite.chat.budget")


def current() -> Budget:
    """The budget of the rendering in progress (one per thread and task)."""
    return _current.get()


class using:  # noqa: N801 - reads as a statement
    """``with using(budget):`` makes it the current one."""

    __slots__ = ("_budget", "_token")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __enter__(self) -> Budget:
        self._token = _current.set(self._budget)
        return self._budget

    def __exit__(self, *_: object) -> None:
        self._budget.close()
        _current.reset(self._token)
