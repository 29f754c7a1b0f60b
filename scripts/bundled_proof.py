"""Proof of the bundled models: a rebuilt spec beside the publisher's files, where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers_lite.formats import hf_json
from tokenizers_lite.registry import resolve

if TYPE_CHECKING:
    from tokenizers_lite.spec import Spec

ROOT = Path(__file__).resolve().parents[1]


def shared_folder(name: str) -> Path | None:
    """Return the folder of the publisher's files, where it is at hand."""
    vocab = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or ROOT.parent / "shared") / "vocab"
    for folder in sorted(vocab.glob("*/")):
        if resolve(folder.name).name == name:
            return folder
    return None


def differences(ours: Spec, theirs: Spec) -> list[str]:
    """Name the fields in which a rebuilt spec differs from the publisher's, templates in our own words aside."""
    found = [
        field
        for field in (
            "added_tokens",
            "normalizer",
            "pre_tokenizer",
            "post_processor",
            "decoder",
            "truncation",
            "padding",
        )
        if getattr(ours, field) != getattr(theirs, field)
    ]
    found += [
        f"model.{field}" for field in ours.model._fields if getattr(ours.model, field) != getattr(theirs.model, field)
    ]
    for field in ours.config._fields:
        mine, other = getattr(ours.config, field), getattr(theirs.config, field)
        if field == "stop_ids":
            mine, other = set(mine), set(other)
        if mine != other:
            found.append(f"config.{field}")
    return found


CONVERSATIONS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hi"}]},
    {
        "messages": [{"role": "system", "content": "S \n"}, {"role": "user", "content": "Hi"}],
        "add_generation_prompt": True,
    },
    {
        "messages": [
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "A"},
            {"role": "system", "content": "s"},
        ]
    },
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image"}, {"type": "video"}]}]},
    {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s1"}, {"text": "s2"}]},
            {
                "role": "user",
                "content": [{"image": "x"}, {"image_url": "y"}, {"video": "z"}, {"text": "T"}, {"other": 1}],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
            {"role": "user", "content": [{"type": "image"}]},
        ],
        "add_vision_id": True,
    },
    {
        "messages": [
            {"role": "user", "content": "call"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": "é"}}}]},
            {"role": "tool", "content": "1"},
            {"role": "tool", "content": [{"type": "text", "text": "2"}, {"type": "image"}]},
            {
                "role": "assistant",
                "content": "B",
                "tool_calls": [{"name": "g", "arguments": "{}"}, {"name": "h", "arguments": []}],
            },
            {"role": "tool", "content": "3"},
            {"role": "user", "content": "end"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}, {"x": "<é>"}],
        "add_generation_prompt": True,
    },
    {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "u"}], "tools": [{"name": "f"}]},
]


def template_differences(ours: str, theirs: str) -> list[str]:
    """Render both templates on conversations of every kind; name those that come out differently."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    mine, other = environment.from_string(ours), environment.from_string(theirs)
    return [
        f"chat template, conversation {i}"
        for i, kind in enumerate(CONVERSATIONS)
        if mine.render(kind) != other.render(kind)
    ]


def prove(name: str, spec: Spec) -> str:
    """Compare a spec with the publisher's files and say what was compared.

    Raises:
        SystemExit: they differ.
    """
    folder = shared_folder(name)
    if folder is None:
        return "tokenizer.json proven by its sha256"
    theirs = hf_json.read(str(folder))
    found = differences(spec, theirs)
    if "config.chat_templates" in found and (ROOT / "scripts" / "templates" / f"{name}.jinja").exists():
        found.remove("config.chat_templates")
        found += template_differences(spec.config.chat_templates["default"], theirs.config.chat_templates["default"])
    if found:
        raise SystemExit(f"{name} differs from {folder}: {', '.join(found)}")
    return f"equal to {folder}"
