"""Pipelines: normalized text between added tokens -> ids, each by the fastest exact means.

Three strategies behind one seam (`encode(text, first)`):

* `General` does what tokenizers does: pre-tokenize, then ask the model.
* `ByteLevelBPE` skips the detour over GPT-2's byte alphabet.
* `CutBPE` cuts text of models without a pre-tokenizer (sentencepiece's
  children) where no merge can cross, so that words can be cached.
"""

from __future__ import annotations

import re
from itertools import chain

from tokenizers_lite.byte_alphabet import CHARS, to_alphabet
from tokenizers_lite.models.bpe import BPE, CACHE_ENTRIES, CACHE_PIECE, merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from tokenizers_lite.models import Model
    from tokenizers_lite.pre_tokenizers import PreTokenizer

    class Pipeline(Protocol):
        """Turns normalized text into ids."""

        def encode(self, text: str, first: bool) -> list[int]:
            """Return the ids of `text`; `first` says that it starts the whole input."""


class PieceCache(dict[str, list[int]]):
    """Piece -> ids, computed when missing, at most `CACHE_ENTRIES` pieces of `CACHE_PIECE` characters."""

    def __init__(self, tokenize: Callable[[str], list[int]]) -> None:
        super().__init__()
        self.tokenize = tokenize

    def __missing__(self, piece: str) -> list[int]:
        ids = self.tokenize(piece)
        if len(piece) <= CACHE_PIECE:
            if len(self) >= CACHE_ENTRIES:
                self.clear()
            self[piece] = ids
        return ids

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """Return the ids of all pieces in a row."""
        return list(chain.from_iterable(map(self.__getitem__, pieces)))


class General:
    """Pre-tokenizer and model as tokenizer.json declares them."""

    def __init__(self, pre_tokenizer: PreTokenizer | None, model: Model) -> None:
        self.pre_tokenizer = pre_tokenizer
        self.model = model

    def encode(self, text: str, first: bool) -> list[int]:
        """Return the ids of `text`."""
        pieces = self.pre_tokenizer.pre_tokenize(text, first) if self.pre_tokenizer else [text]
        tokenize = self.model.tokenize
        return [id_ for piece in pieces for id_ in tokenize(piece)]


class ByteLevelBPE:
    """BPE over bytes: pieces stay raw text and the first symbols are their bytes."""

    def __init__(self, splitter: PreTokenizer, model: BPE, byte_ids: list[int]) -> None:
        self.splitter = splitter
        self.model = model
        self.byte_ids = byte_ids
        self.cache = PieceCache(self._tokenize)

    def encode(self, text: str, first: bool) -> list[int]:
        """Return the ids of `text`."""
        return self.cache.encode(self.splitter.pre_tokenize(text, first))

    def _tokenize(self, piece: str) -> list[int]:
        model = self.model
        if model.spec.ignore_merges:
            whole = model.token_to_id(to_alphabet(piece))
            if whole is not None:
                return [whole]
        return merge(list(map(self.byte_ids.__getitem__, piece.encode())), model.pairs)


class CutBPE:
    """BPE over characters of text that no pre-tokenizer has cut to words."""

    def __init__(self, pre_tokenizer: PreTokenizer | None, model: BPE, words: Callable[[str], list[str]]) -> None:
        self.pre_tokenizer = pre_tokenizer
        self.words = words
        self.cache = PieceCache(lambda word: merge(model.symbols(word), model.pairs))

    def encode(self, text: str, first: bool) -> list[int]:
        """Return the ids of `text`."""
        if self.pre_tokenizer is None:
            return self.cache.encode(self.words(text))
        pieces = self.pre_tokenizer.pre_tokenize(text, first)
        return self.cache.encode(chain.from_iterable(map(self.words, pieces)))


def byte_symbols(model: BPE) -> list[int] | None:
    """Return the id of each byte's character in the alphabet, None if one is missing."""
    ids = [model.token_to_id(char) for char in CHARS]
    return None if None in ids else ids  # type: ignore[return-value]


def word_cutter(model: BPE) -> Callable[[str], list[str]] | None:
    r"""Return a function that cuts text before runs of ``▁``, None if merges could cross.

    A merge makes a token, so where no token holds "x▁" no merge can join x and
    ▁, and BPE of the parts equals BPE of the whole. The characters x for which
    a token does hold "x▁" (Gemma 3: ``>▁</``) are exempt from cutting.
    Symbols that are not the text's own characters would break the argument:
    unk (fused across the cut) and byte tokens that merge further.
    """
    spec = model.spec
    if model.affixes or spec.dropout or spec.ignore_merges or not spec.byte_fallback:
        return None
    tokens = "\0".join(spec.vocab)
    if re.search("<0x[0-9A-F]{2}>[^\0]|[^\0]<0x[0-9A-F]{2}>", tokens):
        return None
    missing = [byte for byte in range(256) if model.token_to_id(f"<0x{byte:02X}>") is None]
    if any(byte >= 0x80 or model.token_to_id(chr(byte)) is None for byte in missing):
        return None
    joined = set(re.findall("([^▁\0])▁", tokens))
    pattern = "▁*[^▁]+|▁+"
    if joined:
        pattern = f"▁*[^▁]+(?:(?<=[{''.join(map(re.escape, sorted(joined)))}])▁+[^▁]*)*|▁+"
    return re.compile(pattern).findall
