"""Renders conversations with transformers, for `fuzz.chats`: lines of JSON in, lines of JSON out.

It runs in an environment of its own, since transformers 4.57 needs another
`tokenizers` than the one that is pinned here, and imports nothing of the project.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import transformers
from transformers.utils import chat_template_utils


class Clock(datetime):
    """A clock that stands still, for templates that print the date."""

    moment = ""

    @classmethod
    def now(cls, tz: object = None) -> Clock:  # noqa: ARG003 - the signature of datetime
        """Return the moment that is asked for."""
        return cls.fromisoformat(cls.moment)


def main() -> None:
    """Render until standard input ends."""
    chat_template_utils.datetime = Clock
    print(json.dumps(transformers.__version__), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        Clock.moment = case.pop("now")
        messages, variables = case.pop("messages"), case.pop("variables")
        try:
            texts, _ = chat_template_utils.render_jinja_template([messages], **case, **variables)
            answer = {"text": texts[0]}
        except Exception as err:
            answer = {"error": f"{type(err).__name__}: {err}"[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
