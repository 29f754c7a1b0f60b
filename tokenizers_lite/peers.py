"""Other tokenizers of the same models, where they are installed: the same functions for each."""

from __future__ import annotations

import os
from pathlib import Path

from tokenizers_lite import load
from tokenizers_lite.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tokenizers_lite.tokenizer import Tokenizer

PEERS = ("tokenizers", "tiktoken", "sentencepiece")


class Engine:
    """Something that turns texts into ids and back; special tokens are not added."""

    def __init__(
        self,
        name: str,
        encode: Callable[[str], list[int]],
        decode: Callable[[list[int]], str],
        *,
        encode_many: Callable[[list[str]], object] | None = None,
        encode_batch: Callable[[list[str]], object] | None = None,
        decode_batch: Callable[[list[list[int]]], list[str]] | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        """Wrap a library.

        Args:
            name: the library's.
            encode: text to ids.
            decode: ids to text.
            encode_many: texts to ids in one call, in one thread.
            encode_batch: texts to ids on all the cores it uses.
            decode_batch: lists of ids to texts.
            reset: empties the caches.
        """
        self.name = name
        self.encode = encode
        self.decode = decode
        self.encode_many = encode_many
        self.encode_batch = encode_batch
        self.decode_batch = decode_batch
        self.reset = reset

    def encode_all(self, texts: list[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return list(map(self.encode, texts))

    def decode_all(self, batch: list[list[int]]) -> list[str]:
        """Return the text of each list of ids."""
        return list(map(self.decode, batch))


def ours(model: str) -> Engine:
    """Return this project's tokenizer, newly loaded by `reset`."""
    workers: list[Workers] = []

    def reset() -> None:
        tokenizer = load(model)
        while workers:
            workers.pop().close()
        workers.append(Workers(tokenizer, os.cpu_count() or 1))
        encode = tokenizer.encode
        engine.encode = lambda text: encode(text, add_special_tokens=False)
        engine.encode_many = lambda texts: tokenizer.encode_batch(texts, add_special_tokens=False)
        engine.decode = tokenizer.decode
        engine.decode_batch = tokenizer.decode_batch
        engine.encode_batch = encode_batch

    def encode_batch(texts: list[str]) -> list[list[int]]:
        workers[0].start()
        return workers[0].encode_batch(texts, add_special_tokens=False)

    engine = Engine("ours", lambda _: [], lambda _: "", reset=reset)
    reset()
    return engine


def tokenizer_json(tokenizer: Tokenizer, source: str, scratch: Path) -> Path:
    """Return a tokenizer.json of the model: its own, or one written from the spec."""
    own = Path(source) / "tokenizer.json"
    if own.is_file():
        return own
    path = scratch / f"{Path(source).name}.json"
    if not path.exists():
        from vocab_converters.tokenizer_json import write_json

        path.write_bytes(write_json(tokenizer.spec)[0])
    return path


def find(tokenizer: Tokenizer, source: str, scratch: Path) -> list[Engine]:
    """Return the peers that are installed and can read this model.

    Args:
        tokenizer: the model.
        source: the folder with its files, or whatever `load` took.
        scratch: where a converted file may be put.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    makers = (_hugging_face, _tiktoken, _sentencepiece)
    return [engine for make in makers if (engine := make(tokenizer, source, scratch)) is not None]


def _hugging_face(tokenizer: Tokenizer, source: str, scratch: Path) -> Engine | None:
    try:
        import tokenizers
    except ImportError:
        return None
    try:
        peer = tokenizers.Tokenizer.from_file(str(tokenizer_json(tokenizer, source, scratch)))
    except (
        Exception
    ):  # no tokenizer.json can say what this model does, or the library, which raises just this, reads none
        return None

    def encode_many(texts: list[str]) -> list[list[int]]:
        return [found.ids for found in peer.encode_batch(texts, add_special_tokens=False)]

    def encode_batch(texts: list[str]) -> list[list[int]]:
        os.environ["TOKENIZERS_PARALLELISM"] = "true"
        try:
            return encode_many(texts)
        finally:
            os.environ["TOKENIZERS_PARALLELISM"] = "false"

    return Engine(
        "tokenizers",
        lambda text: peer.encode(text, add_special_tokens=False).ids,
        peer.decode,
        encode_many=encode_many,
        encode_batch=encode_batch,
        decode_batch=peer.decode_batch,
        reset=getattr(peer.model, "_clear_cache", None),
    )


def _tiktoken(tokenizer: Tokenizer, _source: str, _scratch: Path) -> Engine | None:
    """Return tiktoken for BPE over bytes whose ranks are ids and whose text is cut by one pattern."""
    try:
        import tiktoken  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    pattern = _only_pattern(tokenizer.spec.pre_tokenizer)
    if pattern is None:
        return None
    special = {token.content: token.id for token in tokenizer.spec.added_tokens}
    tokens = tokenizer.vocab()
    from tokenizers_lite.byte_alphabet import from_alphabet

    ranks = {raw: id_ for text, id_ in tokens.items() if text not in special and (raw := from_alphabet(text))}
    if len(ranks) < 256:
        return None
    peer = tiktoken.Encoding("peer", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
    return Engine("tiktoken", peer.encode_ordinary, peer.decode)


def _only_pattern(component: Any) -> str | None:
    """Return the pattern of Sequence(Split(pattern, Isolated), ByteLevel)."""
    if type(component).__name__ != "Sequence" or len(component.pretokenizers) != 2:
        return None
    split, last = component.pretokenizers
    if (type(split).__name__, type(last).__name__) != ("Split", "ByteLevel") or last.use_regex:
        return None
    return str(split.pattern.text) if split.pattern.regex and split.behavior == "Isolated" else None


def _sentencepiece(_tokenizer: Tokenizer, source: str, _scratch: Path) -> Engine | None:
    path = Path(source) / "tokenizer.model"
    try:
        import sentencepiece
    except ImportError:
        return None
    if not path.is_file():
        return None
    peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return Engine("sentencepiece", peer.encode, peer.decode)
