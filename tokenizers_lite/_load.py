"""load: a name or a path -> Tokenizer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from tokenizers_lite.tokenizer import Tokenizer


def load(
    name_or_path: str | os.PathLike[str], *, revision: str | None = None, offline: bool | None = None
) -> Tokenizer:
    """Load a tokenizer by name or from a file or folder.

    Args:
        name_or_path: a registry name or alias (``"qwen3"``), a hub id
            (``"Qwen/Qwen3-0.6B"``), or a path: a folder with a model's files,
            tokenizer.json, tokenizer.model, \\*.tiktoken, vocab.json beside
            merges.txt, vocab.txt, a GGUF file, or a compact file.
        revision: which version of the hub's repository; None is the one the
            registry knows by its hashes.
        offline: True never touches the network; None asks
            `TOKENIZERS_LITE_OFFLINE` and `HF_HUB_OFFLINE`.

    Raises:
        SpecError: the name is unknown, or the file is damaged or of an unknown kind.
        OfflineError: the files are not here and could not be fetched; the
            message lists what was tried and which file to put where.
    """
    from tokenizers_lite.registry import locate
    from tokenizers_lite.tokenizer import Tokenizer

    path = locate(name_or_path, revision=revision, offline=offline)
    name = str(name_or_path)
    if path.endswith(".tokc"):
        # The common case goes without the other readers, whose imports cost more than the file.
        from tokenizers_lite.formats.compact import read
    else:
        from tokenizers_lite.formats import read
    return Tokenizer(read(path), name)
