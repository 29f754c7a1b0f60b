"""Where the real tokenizer files and texts are: ``../shared`` beside the project, or `TOKENIZERS_LITE_SHARED`.

They are not part of the project; tests that need them skip with a reason.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or ROOT.parent / "shared")


def models() -> list[str]:
    """Return the names of the model folders that are here."""
    folder = SHARED / "vocab"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def shared_vocab(name: str) -> Path:
    """Return the folder of a model's files, or skip the test."""
    folder = SHARED / "vocab" / name
    if not folder.is_dir():
        pytest.skip(f"needs the files of {name} in {SHARED / 'vocab'} (set TOKENIZERS_LITE_SHARED)")
    return folder


def shared_corpus(name: str) -> str:
    """Return a text of the corpora, or skip the test."""
    path = SHARED / "corpora" / name
    if not path.is_file():
        pytest.skip(f"needs {name} in {SHARED / 'corpora'} (set TOKENIZERS_LITE_SHARED)")
    return path.read_text("utf-8")


def corpora() -> list[str]:
    """Return the names of the corpora that are here."""
    folder = SHARED / "corpora"
    return sorted(path.name for path in folder.glob("*.txt") if path.name != "SOURCE.md") if folder.is_dir() else []
