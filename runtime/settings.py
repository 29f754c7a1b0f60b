"""What is asked of an answer, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from operator import index
from typing import TYPE_CHECKING

from runtime.errors import PromptError
from runtime.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OVERFLOW = ("error", "stop", "drop")


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of one answer.

    Args:
        max_new_tokens: most tokens to generate; 0 goes on to the end of the context.
        sampling: how tokens are chosen.
        stop: strings that end the answer, or one; they are not part of it.
        stop_ids: ids that end the answer; None takes the model's.
        overflow: ``error`` refuses an answer that might not fit the context, ``stop`` ends it there,
            ``drop`` lets a chat forget its oldest turns.
    """

    max_new_tokens: int = 512
    sampling: Sampling = field(default_factory=Sampling)
    stop: str | Sequence[str] = ()
    stop_ids: Sequence[int] | None = None
    overflow: str = "stop"

    def __post_init__(self) -> None:
        """Refuse unknown policies, negative limits and stops of the wrong type."""
        if self.overflow not in OVERFLOW:
            raise PromptError(f"overflow must be one of {', '.join(OVERFLOW)} (got {self.overflow!r})")
        if not isinstance(self.max_new_tokens, Integral) or self.max_new_tokens < 0:
            raise PromptError(
                "max_new_tokens must be a whole number, not negative; 0 fills the context "
                f"(got {self.max_new_tokens!r})"
            )
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        if not all(isinstance(text, str) for text in self.stop):
            raise PromptError(f"stop must be a string or several (got {self.stop!r})")
        if self.stop_ids is not None:
            object.__setattr__(self, "stop_ids", tuple(as_ids(self.stop_ids, "stop_ids")))


def as_ids(values: Iterable[int], name: str = "the prompt") -> list[int]:
    """Return ids as plain integers.

    Raises:
        PromptError: they are not integers.
    """
    try:
        return [index(value) for value in values]
    except TypeError:
        raise PromptError(f"{name} must be a sequence of integer ids (got {values!r:.80})") from None


@dataclass(slots=True)
class Statistics:
    """What a generation took. Seconds are wall time.

    Of the prompt's tokens `reused_tokens` were in the cache and `fed_tokens` were computed; both together are
    fewer than `prompt_tokens` only if it was cancelled. `dropped_messages` of a chat were left out to fit.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    fed_tokens: int = 0
    dropped_messages: int = 0
    new_tokens: int = 0
    load_seconds: float = 0.0
    prefill_seconds: float = 0.0
    first_token_seconds: float = 0.0
    decode_seconds: float = 0.0
    finish_reason: str = ""

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens per second, those found in the cache not counted."""
        return _rate(self.fed_tokens, self.prefill_seconds)

    @property
    def decode_rate(self) -> float:
        """Tokens per second after the first."""
        return _rate(self.new_tokens - 1, self.decode_seconds)

    def __str__(self) -> str:
        dropped = f"{self.dropped_messages} oldest messages dropped, " if self.dropped_messages else ""
        return (
            f"{dropped}{self.prompt_tokens} prompt tokens ({self.reused_tokens} reused, {self.prefill_rate:.0f}/s), "
            f"{self.new_tokens} new ({self.decode_rate:.0f}/s), first after {self.first_token_seconds:.2f} s, "
            f"load {self.load_seconds:.2f} s, finished: {self.finish_reason}"
        )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if count > 0 and seconds > 0 else 0.0
