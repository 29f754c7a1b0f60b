"""Chat templates: random conversations through transformers 4.57's own rendering and through ours.

`TOKENIZERS_LITE_TRANSFORMERS` names the Python of an environment that has
transformers 4.57 (docs/fuzzing.md says how to make one); without it the
campaign is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz.texts import Texts
from tests import paths
from tokenizers_lite import chat
from tokenizers_lite.errors import TokenizerError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Json = dict[str, Any]

PYTHON = "TOKENIZERS_LITE_TRANSFORMERS"
PINNED = "4.57."
CONVERSATIONS_A_UNIT = 300
NOW = "2024-07-26T13:14:15"
ROLES = ["user", "assistant"] * 4 + ["system", "tool", "developer", "critic", "", None, "User"]
NAMES = ["get_weather", "clock", "", "naïve <b>"]


class Oracle:
    """A process that renders with transformers."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("chat_oracle.py")
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self._process = subprocess.Popen([python, str(script)], **pipes)
        self.version: str = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the Python named by {PYTHON} does not render: has it transformers {PINNED}x and jinja2?"
            )
        return json.loads(line)

    def render(self, case: Json) -> Json:
        """Return {"text": ...} or {"error": ...}."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        return dict(self._answer())


@lru_cache(maxsize=1)
def oracle() -> Oracle:
    """Return the process, started once."""
    made = Oracle(os.environ[PYTHON])
    if not made.version.startswith(PINNED):
        raise RuntimeError(f"oracle drift: transformers {made.version}, parity is promised with {PINNED}x")
    return made


@lru_cache(maxsize=1)
def templates() -> dict[str, tuple[str, Json]]:
    """Return model -> (template, special tokens) of those whose files are here."""
    found = {}
    for name in paths.models():
        folder = paths.SHARED / "vocab" / name
        with contextlib.suppress(OSError, KeyError, ValueError):
            config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
            jinja = folder / "chat_template.jinja"
            source = jinja.read_text("utf-8") if jinja.exists() else config["chat_template"]
            names = [key for key in config if key.endswith("_token") and config[key]]
            tokens = {key: config[key]["content"] if isinstance(config[key], dict) else config[key] for key in names}
            if isinstance(source, str):
                found[name] = source, {key: value for key, value in tokens.items() if isinstance(value, str)}
    return found


# ---------------------------------------------------------------- conversations


def value(rng: random.Random, source: Texts, depth: int = 0) -> Any:
    """Return any JSON value."""
    kind = rng.randrange(8 if depth < 2 else 6)
    if kind == 6:
        return [value(rng, source, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind == 7:
        return {source.text()[:8]: value(rng, source, depth + 1) for _ in range(rng.randint(0, 3))}
    return (None, rng.random() < 0.5, rng.randint(-9, 10**12), rng.random() * 100, source.text()[:40], "x<y&'\"\n")[
        kind
    ]


def content(rng: random.Random, source: Texts) -> Any:
    """Return the content of a message: mostly text, else parts, nothing or anything."""
    kind = rng.random()
    if kind < 0.85:
        text = source.text()[:60]
        return rng.choice(("", "  ", "\n", text, text, text, f"<think>{text}</think>{text}", f" {text}\n"))
    if kind < 0.93:
        kinds = [
            {"type": "text", "text": source.text()[:30]},
            {"type": "image"},
            {"type": "video"},
            {"type": "image_url"},
        ]
        return [rng.choice(kinds) for _ in range(rng.randint(0, 3))]
    return None if kind < 0.97 else value(rng, source)


def call(rng: random.Random, source: Texts) -> Any:
    """Return a tool call."""
    arguments = rng.choice(({"city": source.text()[:20], "days": 2}, '{"zone": "UTC"}', {}, value(rng, source)))
    function = {"name": rng.choice(NAMES), "arguments": arguments}
    return rng.choice(({"type": "function", "function": function, "id": "a1"}, {"function": function}, function))


def message(rng: random.Random, source: Texts, role: str | None) -> Json:
    """Return a message."""
    made: Json = {"role": role, "content": content(rng, source)}
    if rng.random() < 0.15:
        made["tool_calls"] = rng.choice(([call(rng, source)], [call(rng, source), call(rng, source)], [], None))
    if rng.random() < 0.1:
        key = rng.choice(("name", "reasoning_content", "tool_call_id", "prefix", "thinking", "content", "role"))
        made[key] = value(rng, source)
    if rng.random() < 0.03:
        made.pop(rng.choice(("role", "content")), None)
    return made


def tool(rng: random.Random, source: Texts) -> Json:
    """Return a JSON schema of a function."""
    properties = {"city": {"type": "string", "description": source.text()[:20]}, "n": {"type": ["integer", "null"]}}
    parameters = rng.choice(
        ({"type": "object", "properties": properties, "required": ["city"]}, {}, value(rng, source))
    )
    function = {"name": rng.choice(NAMES), "description": source.text()[:30], "parameters": parameters}
    return rng.choice(({"type": "function", "function": function}, function))


def conversation(rng: random.Random, source: Texts) -> Json:
    """Return the arguments of a rendering: turns in their order, or in none."""
    roles = ["user", "assistant"] * 3
    if rng.random() < 0.4:
        roles = ["system", *roles]
    if rng.random() < 0.2:
        roles = rng.choices(ROLES, k=6)
    messages = [
        message(rng, source, role) for role in roles[: rng.randint(0 if rng.random() < 0.05 else 1, len(roles))]
    ]
    made: Json = {"messages": messages, "add_generation_prompt": rng.random() < 0.5, "continue_final_message": False}
    if rng.random() < 0.1 and not made["add_generation_prompt"]:
        made["continue_final_message"] = True
    made["tools"] = [tool(rng, source) for _ in range(rng.randint(0, 2))] if rng.random() < 0.25 else None
    made["documents"] = [{"title": "t", "text": source.text()[:20]}] if rng.random() < 0.05 else None
    names = ("enable_thinking", "add_vision_id", "date_string", "tools_in_user_message", "strict")
    made["variables"] = {rng.choice(names): rng.choice((True, False, "x", None))} if rng.random() < 0.3 else {}
    return dict(json.loads(json.dumps(made)))  # parts that are drawn twice are two


_WORDS = re.compile(r"\w+|[{}%|'\"-]+|\s+|.")


def damaged(rng: random.Random, template: str) -> str:
    """Return a template with a word dropped, doubled or put elsewhere: most still render, some otherwise."""
    words = _WORDS.findall(template)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, other = rng.randrange(len(words)), rng.randrange(len(words))
        words[at] = rng.choice(("", words[at] * 2, words[other], "|trim", "|tojson", "-", " "))
    return "".join(words)


# ---------------------------------------------------------------- the law


def differs(given: Json, outcome: Callable[[str], None] = lambda _: None) -> str | None:
    """Return what is wrong with a rendering now: texts must be equal, or both refuse; tell `outcome` which."""
    arguments = {key: item for key, item in given.items() if key not in ("template", "special_tokens")}
    variables = {**given["special_tokens"], **given["variables"]}
    theirs = oracle().render({**arguments, "chat_template": given["template"], "variables": variables, "now": NOW})
    try:
        mine = {"text": chat.render({"default": given["template"]}, **_ours(given))}
    except TokenizerError as err:
        mine = {"error": str(err)}
    except Exception as err:
        return f"rendering crashed: {type(err).__name__}: {err}"
    if mine.keys() == theirs.keys() and ("error" in mine or mine == theirs):
        outcome("refused by both" if "error" in mine else "rendered by both")
        return None
    return f"chat: ours {str(mine)[:400]}, theirs {str(theirs)[:400]}"


def _ours(given: Json) -> Json:
    return {**{key: item for key, item in given.items() if key != "template"}, "now": datetime.fromisoformat(NOW)}


def still_wrong(case: Json) -> str | None:
    """Return what is wrong with a case now, None without transformers."""
    return differs(case["input"]) if os.environ.get(PYTHON) else None


def hunt(unit: Any, rng: random.Random, beat: Callable[[str], None]) -> None:
    """Render conversations with the templates of all models, some of them damaged."""
    source = Texts(rng, [], ["<|im_end|>", "<think>", "</think>", "<tool_call>"])
    for number in range(CONVERSATIONS_A_UNIT):
        beat(f"conversation {number}")
        template, tokens = rng.choice(list(templates().values()))
        if rng.random() < 0.25:
            template = damaged(rng, template)
            unit.count("damaged templates")
        given = {"template": template, "special_tokens": tokens, **conversation(rng, source)}
        unit.count("conversations")
        unit.count("law chat")
        wrong = differs(given, unit.count)
        if wrong:
            unit.find({"law": "chat", "input": given}, wrong)
