"""Readers: a file or folder of any known kind -> `Spec`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.spec import Spec

# In a folder the first of these that is there counts.
FOLDER_ORDER = ("tokenizer.json", "tokenizer.model", "*.tiktoken", "vocab.json", "vocab.txt", "*.gguf", "*.tokc")

_MODULES = {
    "compact": "compact",
    "gguf": "gguf",
    "tokenizer.json": "hf_json",
    "vocab+merges": "vocab_merges",
    "tiktoken": "tiktoken",
    "sentencepiece": "sentencepiece",
    "vocab.txt": "vocab_txt",
}


def read(path: str) -> Spec:
    r"""Read a tokenizer from a file or a folder.

    A file's kind follows from its content. A folder is read as transformers 4
    does: with the first of tokenizer.json, tokenizer.model, \*.tiktoken,
    vocab.json with merges.txt, vocab.txt, \*.gguf, \*.tokc that is there, and
    tokenizer_config.json and its like applied to it (see `formats.config`).
    A file alone is only itself, except that vocab.json and vocab.txt need the
    configuration beside them.

    Raises:
        SpecError: the file is broken or of an unknown kind, or the folder holds none.
        OSError: the file cannot be read.
    """
    import os

    path = os.fspath(path)
    return _read_folder(path) if os.path.isdir(path) else _read_as(kind(path), path)


def kind(path: str) -> str:
    """Tell what kind of tokenizer a file holds, from its first bytes.

    Gives "compact", "gguf", "tokenizer.json", "vocab+merges", "tiktoken",
    "sentencepiece" or "vocab.txt".

    Raises:
        SpecError: none of these.
        OSError: the file cannot be read.
    """
    import os

    from tokenizers_lite.errors import SpecError
    from tokenizers_lite.formats.compact import MAGIC

    with open(path, "rb") as file:
        head = file.read(4096)
    start = head.lstrip()
    if head.startswith(MAGIC):
        return "compact"
    if head.startswith((b"GGUF", b"FUGG")):
        return "gguf"
    pair = os.path.basename(path) in ("vocab.json", "merges.txt")
    if pair and all(os.path.exists(os.path.join(os.path.dirname(path), n)) for n in ("vocab.json", "merges.txt")):
        return "vocab+merges"
    if start.startswith(b"{"):
        return "tokenizer.json"
    from tokenizers_lite.formats import tiktoken

    if tiktoken.looks_like(head):
        return "tiktoken"
    if head.startswith(b"\n") and b"\0" in head:  # a piece with its score
        return "sentencepiece"
    if head and path.endswith(".txt") and b"\0" not in head and not head.startswith(b"430 "):
        return "vocab.txt"
    if head.startswith(b"430 "):
        raise SpecError(
            "this is a vocabulary for MNN's readers, which do not agree on its ids: load(path, as_reader=...) gives "
            "those of one of them; tokenizers-lite inspect shows what the file holds",
            file=path,
            field="line 1",
            value=head[:16],
        )
    raise SpecError(
        "this is no tokenizer file of a kind known here (tokenizer.json, tokenizer.model, .tiktoken, vocab.json with "
        "merges.txt, vocab.txt, GGUF or compact)",
        file=path,
        field="offset 0x0",
        value=head[:16],
    )


def _read_as(name: str, path: str) -> Spec:
    """Read a file as a kind; the reader is imported by need."""
    from importlib import import_module

    spec: Spec = import_module(f"{__name__}.{_MODULES[name]}").read(path)
    return spec


def _read_folder(folder: str) -> Spec:
    """Read the first known file of a folder, and the configuration."""
    import os

    from tokenizers_lite.errors import SpecError

    names = sorted(os.listdir(folder))
    for pattern in FOLDER_ORDER:
        found = [name for name in names if name == pattern or (pattern[0] == "*" and name.endswith(pattern[1:]))]
        if not found or (pattern == "vocab.json" and "merges.txt" not in names):
            continue
        if len(found) > 1:
            raise SpecError(f"the folder holds several {pattern} files; give the path of one", file=folder, value=found)
        path = os.path.join(folder, found[0])
        name = kind(path)
        spec = _read_as(name, path)
        if name in ("vocab+merges", "vocab.txt", "compact", "gguf"):  # these have applied it, or hold their own
            return spec
        from tokenizers_lite.formats import config

        return config.apply(spec, folder)
    raise SpecError(f"the folder holds no tokenizer; looked for {', '.join(FOLDER_ORDER)}", file=folder)
