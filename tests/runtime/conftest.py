"""Makes the helpers of this folder importable under --import-mode=importlib, and skips it without onnxruntime."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

collect_ignore_glob = []
try:
    import numpy as np  # noqa: F401
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401
except ImportError:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tiny graphs gain nothing from more threads, and spinning ones slow a shared machine down."""
    import functools

    from runtime.forms import detect
    from runtime.session import SessionOptions

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detect, "SessionOptions", functools.partial(SessionOptions, threads=1))
        yield


@pytest.fixture
def export_tiny(tmp_path):
    """Export a tiny model; return the folder and its weights."""
    from tiny_models import write_folder

    from runtime.export import export
    from runtime.weights import open_weights

    def make(name, options=None, seed=0):
        source = tmp_path / f"{name}-{seed}"
        if not source.exists():
            write_folder(source, name, seed)
        target = tmp_path / f"{name}-{seed}-{len(list(tmp_path.iterdir()))}"
        export(source, target, options)
        return target, open_weights(source)

    return make
