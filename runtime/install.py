"""Puts a new model into a folder so that at every moment the old one or the new one loads.

A model is a graph, its weights, a tokenizer and configuration, and a file system replaces one file at a
time. So the new one is written into a staging folder inside its target and then installed in steps,
after each of which the process may die:

1. the target's graph is replaced by the new one, which says that weights and companions lie in staging;
2. these get their final names, to which nothing refers at this moment;
3. the graph is replaced by the one that refers to the final names;
4. the staging folder is removed.

What killed processes left is completed or removed by the next one that writes into the same folder.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from runtime.errors import BusyError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

GRAPH = "model.onnx"
BESIDE = "tokenizers_lite.beside"  # metadata: the folder, seen from the graph's, with the files that belong to it
_STAGING = ".export-"
_GENAI = "genai_config.json"


@contextlib.contextmanager
def staged(target: str) -> Iterator[str]:
    """Give a folder to write a model into (``model.onnx`` and the files beside it); install it at the end.

    Raises:
        BusyError: another process is writing into the same target.
        ModelFileError: the target cannot be written, or the disk is full; it is as it was before.
    """
    made = not os.path.exists(target)
    try:
        os.makedirs(target, exist_ok=True)
        with _alone(target):
            _clear(target)
            staging = tempfile.mkdtemp(prefix=_STAGING, dir=target)
            try:
                yield staging
                _install(staging, target)
            finally:
                if beside(os.path.join(target, GRAPH)) != os.path.basename(staging):
                    shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise ModelFileError(
            f"the model could not be written ({error.strerror or error}); what was there before still loads. "
            "Free some space, or choose another folder",
            file=target,
        ) from error
    finally:
        if made:
            with contextlib.suppress(OSError):  # it holds the model; what failed leaves no empty folder
                os.rmdir(target)


def settle(folder: str) -> None:
    """Complete what a process killed in the middle of installing left in a folder."""
    if _leftovers(folder):
        with _alone(folder):
            _clear(folder)


def beside(graph: str) -> str:
    """Return the staging folder a graph refers to; nothing if it is installed, or not there."""
    if not os.path.exists(graph) or not _leftovers(os.path.dirname(graph) or "."):
        return ""
    try:
        properties = _read(graph).metadata_props
    except Exception:  # protobuf's own error: whatever this is, it refers to nothing
        return ""
    return next((entry.value for entry in properties if entry.key == BESIDE), "")


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Hold the lock of a folder, which the system lets go when the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows, where files in use cannot be removed anyway
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"{folder}: another export is writing here; wait for it, or choose another folder"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def _leftovers(folder: str) -> list[str]:
    return sorted(glob.glob(os.path.join(glob.escape(folder), _STAGING + "*")))


def _clear(target: str) -> None:
    """Complete the installation under way, if there is one, and remove what else was left."""
    live = beside(os.path.join(target, GRAPH))
    for staging in _leftovers(target):
        if os.path.basename(staging) == live:
            _complete(staging, target)
        shutil.rmtree(staging, ignore_errors=True)


def _install(staging: str, target: str) -> None:
    """Take all the steps."""
    if not _same(os.path.join(staging, _GENAI), os.path.join(target, _GENAI)):
        _remove(os.path.join(target, _GENAI))  # genai would run the new graph by the old numbers
    if os.path.exists(os.path.join(target, GRAPH)):
        for name in _companions(staging):
            _to_disk(os.path.join(staging, name))
        bridge = os.path.join(staging, "bridge.onnx")
        _write_bridge(os.path.join(staging, GRAPH), bridge)
        os.replace(bridge, os.path.join(target, GRAPH))
    _complete(staging, target)


def _complete(staging: str, target: str) -> None:
    """Give the companions their final names, then the graph."""
    for name in _companions(staging):
        spare = os.path.join(staging, "spare")
        _remove(spare)
        _duplicate(os.path.join(staging, name), spare)
        os.replace(spare, os.path.join(target, name))
    os.replace(os.path.join(staging, GRAPH), os.path.join(target, GRAPH))
    if not os.path.exists(os.path.join(staging, GRAPH + ".data")):
        _remove(os.path.join(target, GRAPH + ".data"))
    shutil.rmtree(staging, ignore_errors=True)


def _companions(staging: str) -> list[str]:
    return sorted(set(os.listdir(staging)) - {GRAPH, "bridge.onnx", "spare"})


def _duplicate(source: str, copy: str) -> None:
    """Give a file a second name; where the file system has none, copy it."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copyfile(source, copy)


def _write_bridge(graph: str, bridge: str) -> None:
    """Write the graph that refers to its own folder from the one above."""
    model, folder = _read(graph), os.path.basename(os.path.dirname(graph))
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = f"{folder}/{entry.value}"
    model.metadata_props.add(key=BESIDE, value=folder)
    with open(bridge, "wb") as stream:
        stream.write(model.SerializeToString())
    _to_disk(bridge)


def _read(graph: str) -> Any:
    import onnx  # type: ignore[import-not-found,unused-ignore]

    return onnx.load(graph, load_external_data=False)


def _same(one: str, other: str) -> bool:
    contents = []
    for path in (one, other):
        if not os.path.exists(path):
            return False
        with open(path, "rb") as stream:
            contents.append(stream.read())
    return contents[0] == contents[1]


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def _to_disk(path: str) -> None:
    """Wait until a file is on the disk: what it replaces must not go before."""
    with open(path, "r+b") as stream:
        os.fsync(stream.fileno())
