"""An exported folder -> a generator with its tokenizer, checked to belong together."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from runtime.errors import MismatchError
from runtime.forms import open_driver
from runtime.generator import Generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.forms.base import Driver
    from runtime.session import SessionOptions

_TOKENIZERS = ("tokenizer.tokc", "tokenizer.gguf", "tokenizer.json", "tokenizer.model")


def load(
    path: str | os.PathLike[str] | Sequence[str],
    *,
    tokenizer: Any = None,
    options: SessionOptions | None = None,
    max_length: int = 0,
) -> Generator:
    """Open a graph, or a folder of graphs, with the tokenizer beside it.

    Args:
        path: an ``.onnx`` file, a folder, or the files of a model in several graphs.
        tokenizer: a path or name for `tokenizers_lite.load`, an object with `encode` and `stream`,
            False for none, or None for what lies beside the graph.
        options: session options.
        max_length: most tokens of a sequence; 0 takes what the model says.

    Raises:
        ModelFileError: a file is missing or broken.
        UnknownGraphError: the graph is of no known form.
        MismatchError: the tokenizer has ids that the model does not.
    """
    started = time.perf_counter()
    driver = open_driver(path, options=options, max_length=max_length)
    codec = _codec(tokenizer, driver)
    if codec is not None:
        check_tokenizer(codec, driver)
        driver.vocab_size = driver.vocab_size or getattr(codec, "vocab_size", 0)
    generator = Generator(driver, codec, stop_ids=stop_ids(codec, driver))
    generator.load_seconds = time.perf_counter() - started
    return generator


def _codec(tokenizer: Any, driver: Driver) -> Any:
    """Find or load the tokenizer; None if there is none."""
    if tokenizer is False:
        return None
    if tokenizer is None:
        folder = driver.info.folder or "."
        names = [name for name in (driver.info.tokenizer, *_TOKENIZERS) if name]
        for candidate in (os.path.join(up, name) for up in (folder, os.path.join(folder, "..")) for name in names):
            if os.path.exists(candidate):
                tokenizer = _folder_if_json(candidate)
                break
        else:
            return None
    if not isinstance(tokenizer, (str, os.PathLike)):
        return tokenizer
    import tokenizers_lite

    return tokenizers_lite.load(tokenizer)


def _folder_if_json(path: str) -> str:
    """tokenizer.json is read with the files beside it, which say what its folder means."""
    return os.path.dirname(path) if path.endswith(".json") else path


def stop_ids(codec: Any, driver: Driver) -> tuple[int, ...]:
    """Join what model and tokenizer call the end of an answer."""
    return tuple(dict.fromkeys([*driver.info.stop_ids, *getattr(codec, "stop_ids", ())]))


def check_tokenizer(codec: Any, driver: Driver) -> None:
    """Compare a tokenizer with the model it is to feed.

    Raises:
        MismatchError: its ids, or its stop ids, lie outside the model's vocabulary, or the two
            name different ends of an answer.
    """
    size, theirs = driver.vocab_size, getattr(codec, "vocab_size", 0)
    if size and theirs > size:
        raise MismatchError(
            f"the tokenizer has {theirs} ids, the model {size}: it belongs to another model; "
            "pass tokenizer= the one the model was trained with"
        )
    outside = [token for token in getattr(codec, "stop_ids", ()) if size and token >= size]
    if outside:
        raise MismatchError(f"the tokenizer ends answers with the id {outside[0]}, outside the model's {size}")
    model_stops, own = set(driver.info.stop_ids), set(getattr(codec, "stop_ids", ()))
    if model_stops and own and not model_stops & own:
        raise MismatchError(
            f"the model ends answers with {sorted(model_stops)}, the tokenizer with {sorted(own)}: "
            "they do not belong together"
        )
