"""Render the hostile templates one by one; print what came of each as a line of JSON.

Run in a process of its own by test_attacks.py, so that a template that gets
away takes nothing else with it.
"""

from __future__ import annotations

import json
import sys
import time

from tests.attacks.corpus import ESCAPES, FLOODS
from tokenizers_lite import chat
from tokenizers_lite.errors import TemplateError

try:
    import resource
except ImportError:  # Windows
    resource = None

MESSAGES = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
LIMITS = chat.Limits(seconds=1.0)
GIGABYTE = 2**30


def attempt(template: str) -> dict:
    started = time.perf_counter()
    try:
        result = {"text": chat.render({"default": template}, MESSAGES, limits=LIMITS)[:300]}
    except TemplateError as error:
        result = {"error": str(error)[:300]}
    except BaseException as error:
        result = {"escaped": repr(error)[:300]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 if resource else 0
    return {**result, "seconds": round(time.perf_counter() - started, 3), "peak_mb": peak}


def main() -> None:
    if resource:
        resource.setrlimit(resource.RLIMIT_AS, (2 * GIGABYTE, 2 * GIGABYTE))
    for kind, templates in (("escape", ESCAPES), ("flood", FLOODS)):
        for name, template in templates.items():
            print(json.dumps({"kind": kind, "name": name, **attempt(template)}), flush=True)
    assert len(MESSAGES) == 2
    assert MESSAGES[0] == {"role": "user", "content": "hello"}


if __name__ == "__main__":
    sys.exit(main())
