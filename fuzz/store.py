"""The regression store: each find as its smallest input, with the law and the component it blames.

A case is a JSON file in fuzz/regressions: ``law``, ``input``, ``component``,
``note`` and either ``spec`` (a small tokenizer.json) or ``model`` (a folder of
the shared files).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "regressions"


def cases(folder: Path = FOLDER) -> list[tuple[str, dict[str, Any]]]:
    """Return (name, case) of all cases."""
    return [(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]


def add(case: dict[str, Any], component: str, note: str, folder: Path = FOLDER) -> Path:
    """Write a case under a name made of its component and its content; gives the file."""
    kept = {key: case[key] for key in ("law", "model", "spec", "options", "name", "reader", "input") if key in case}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{component.replace('.', '-').replace(' ', '-')}-{digest}.json"
    content = {"component": component, "note": note, **kept}
    path.write_text(json.dumps(content, ensure_ascii=True, indent=1) + "\n", "utf-8")
    return path


def blamed(case: dict[str, Any]) -> str:
    """Guess which component a case blames: the one kind left in its spec, or the model."""
    if "model" in case:
        return f"model {case['model']}"
    spec = case.get("spec") or {}
    parts = [name for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder") if spec.get(name)]
    parts += ["added_tokens"] * bool(spec.get("added_tokens"))
    return parts[0] if len(parts) == 1 else "tokenizer" if parts else "model"


def check(case: dict[str, Any]) -> str | None:
    """Return what is wrong with a case now, None if it holds.

    Raises:
        FileNotFoundError: the case is of a real model that is not here.
    """
    from fuzz import files
    from fuzz.minimise import still_wrong

    if case["law"] == "file":
        return files.check(case)
    if "model" in case:
        from tests import paths

        if not (paths.SHARED / "vocab" / case["model"]).is_dir():
            raise FileNotFoundError(f"the files of {case['model']} are not in {paths.SHARED}")
    return still_wrong(case)
