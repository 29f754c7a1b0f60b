"""A worker of the hunt: reads units as lines of JSON, writes what it does and what came of them.

It runs in a process of its own because the oracle may abort the process, and
either side may hang; `fuzz.hunt` watches it, and starts another one.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Do units until standard input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(os.devnull, os.O_WRONLY)  # panics print pages of stack
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.set_int_max_str_digits(0)

    def say(kind: str, value: Any) -> None:
        out.write(json.dumps([kind, value]) + "\n")
        out.flush()

    from fuzz import campaigns

    for line in sys.stdin:
        campaign, seed = json.loads(line)
        try:
            say("done", campaigns.run(campaign, seed, lambda what: say("beat", what)))
        except Exception as err:
            say("failed", f"{type(err).__name__}: {err}")


if __name__ == "__main__":
    main()
