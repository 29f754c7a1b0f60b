"""Pipelines: normalized text between added tokens -> ids, each by the fastest exact means.

Three strategies behind one seam (`encode(parts)`):

* `General` does what tokenizers does: pre-tokenize, then ask the model.
* `ByteLevelBPE` skips the detour over GPT-2's byte alphabet.
* `CutBPE` cuts text of models without a pre-tokenizer (sentencepiece's
  children) where no merge can cross, so that words can be cached.
"""

from __future__ import annotations

from itertools import chain

from tokenizers_lite.byte_alphabet import CHARS, to_alphabet
from tokenizers_lite.models.bpe import BPE, CACHE_PIECE, merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from tokenizers_lite.bulk import Bulk
    from tokenizers_lite.models import Model
    from tokenizers_lite.pipeline.together import Together
    from tokenizers_lite.pre_tokenizers import PreTokenizer

    # A text between added tokens and whether it starts the whole input, or the id of an added token.
    Part = tuple[str, bool] | int

    class Pipeline(Protocol):
        """Turns normalized text into ids."""

        def encode(self, parts: list[Part]) -> list[int]:
            """Return the ids of the parts of a text."""

        def encode_many(self, texts: list[list[Part]]) -> list[list[int]]:
            """Return the ids of the parts of each text."""


# Pieces that a cache keeps.
PIECES = 1 << 17
# Texts of this many characters gain from numpy, if it is imported; and so many before it is imported for them.
BULK_LENGTH = 1000
_BULK_TOTAL = 150_000
# Characters that are cut without a compiled pattern before it is worth compiling one.
_QUICK_TOTAL = 4096
# What marks a cut; in no text that is cut by it.
CUT = "\0"
# Words that are merged with a table of merges that is looked up in the file, before a dict of them is made.
_MERGES = 3_000
# Characters of missing pieces that are computed the plain way before it is worth preparing a faster one.
_PATIENCE = 12_000


class PieceCache(dict[str, list[int]]):
    """Piece -> ids, computed when missing; pieces of up to `CACHE_PIECE` characters are kept, at most `PIECES`.

    When there are as many, the older half goes: common ones are soon back.

    Args:
        tokenize: computes them.
        hasten: makes a function that computes them faster; called once, when
            pieces of `_PATIENCE` characters have been missing.
    """

    def __init__(
        self, tokenize: Callable[[str], list[int]], hasten: Callable[[], Callable[[str], list[int]]] | None = None
    ) -> None:
        super().__init__()
        self.tokenize = tokenize
        self._hasten = hasten
        self._patience = _PATIENCE

    def __missing__(self, piece: str) -> list[int]:
        if self._hasten is not None:
            # ASCII gains little from what takes long to prepare.
            self._patience -= len(piece) >> 6 if piece.isascii() else len(piece)
            if self._patience < 0:
                self.tokenize, self._hasten = self._hasten(), None
        ids = self.tokenize(piece)
        self.keep(piece, ids)
        return ids

    def keep(self, piece: str, ids: list[int]) -> None:
        """Remember the ids of a piece."""
        if len(piece) <= CACHE_PIECE:
            if len(self) >= PIECES:
                for old in list(self)[: PIECES // 2]:
                    self.pop(old, None)
            self[piece] = ids

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """Return the ids of all pieces in a row."""
        return list(chain.from_iterable(map(self.__getitem__, pieces)))


class Numpy:
    """The module numpy, where it is installed: at once if it is imported, else when it is worth the import."""

    def __init__(self) -> None:
        self._left = _BULK_TOTAL

    def after(self, size: int) -> Any:
        """Return the module, or None, after another `size` characters that it would be good for."""
        import sys

        self._left -= size
        if self._left > 0 and "numpy" not in sys.modules:
            return None
        try:
            import numpy as np
        except ImportError:
            self._left = 1 << 62
            return None
        return np


class General:
    """Pre-tokenizer and model as tokenizer.json declares them."""

    def __init__(self, pre_tokenizer: PreTokenizer | None, model: Model) -> None:
        self.pre_tokenizer = pre_tokenizer
        self.model = model

    def encode(self, parts: list[Part]) -> list[int]:
        """Return the ids of the parts of a text."""
        tokenize = self.model.tokenize
        ids: list[int] = []
        for part in parts:
            if type(part) is int:
                ids.append(part)
                continue
            text, first = part  # type: ignore[misc]
            for piece in self.pre_tokenizer.pre_tokenize(text, first) if self.pre_tokenizer else [text]:
                ids += tokenize(piece)
        return ids

    def encode_many(self, texts: list[list[Part]]) -> list[list[int]]:
        """Return the ids of the parts of each text."""
        return list(map(self.encode, texts))


class ByteLevelBPE:
    """BPE over bytes: pieces stay raw text and the first symbols are their bytes.

    Args:
        splitter: makes the pre-tokenizer that cuts raw text.
        model: the model.
        byte_ids: id of each byte's token, None for a byte that leaves nothing.
        quick: cuts alike without a regex engine, slower but ready at once; it
            serves the first `_QUICK_TOTAL` characters of short texts.
    """

    def __init__(
        self,
        splitter: Callable[[], PreTokenizer],
        model: BPE,
        byte_ids: ByteIds,
        quick: Callable[[str], list[str]] | None = None,
    ) -> None:
        self.model = model
        self.byte_ids = byte_ids
        self.cache = PieceCache(self._tokenize, self._hasten)
        self._spell = self._merge
        self._make_splitter = splitter
        self._splitter: PreTokenizer | None = None
        self._quick = quick
        self._quick_left = _QUICK_TOTAL
        self._merges_left = _MERGES
        self._together: Together | None = None

    def encode(self, parts: list[Part]) -> list[int]:
        """Return the ids of the parts of a text."""
        if self._together is not None:
            found = self._together.encode(parts, self._pieces)
            if found is not None:
                return found
        ids: list[int] = []
        for part in parts:
            if type(part) is int:
                ids.append(part)
            else:
                ids += self.cache.encode(self._pieces(*part))  # type: ignore[misc]
        return ids

    def encode_many(self, texts: list[list[Part]]) -> list[list[int]]:
        """Return the ids of the parts of each text."""
        if self._together is None or len(texts) == 1:
            return list(map(self.encode, texts))
        return self.cache.encode_many(texts, self._pieces)  # type: ignore[attr-defined,no-any-return]

    def _pieces(self, text: str, first: bool) -> list[str]:
        splitter = self._splitter
        if splitter is None:
            if self._quick is not None and self._quick_left >= len(text):
                self._quick_left -= len(text)
                return self._quick(text)
            splitter = self._splitter = self._make_splitter()
        return splitter.pre_tokenize(text, first)

    def _tokenize(self, piece: str) -> list[int]:
        if self.model.spec.ignore_merges:
            whole = self._whole(piece)
            if whole is not None:
                return [whole]
        return self._spell(piece)

    def _whole(self, piece: str) -> int | None:
        return self.model.token_to_id(to_alphabet(piece))

    def _merge(self, piece: str) -> list[int]:
        self._merges_left -= 1
        if not self._merges_left:
            self.model.whole_pairs()
        raw = piece.encode()
        own = self.model.own(raw)
        if own is not None:
            return [own]
        ids = map(self.byte_ids.__getitem__, raw)
        return merge([id_ for id_ in ids if id_ is not None], self.model.pairs)

    def _hasten(self) -> Callable[[str], list[int]]:
        from tokenizers_lite.pipeline import spelling, together

        speller = spelling.of_bytes(self.model, self.byte_ids, self._merge)
        if speller is not None:
            self._spell = speller.spell
            whole = self._whole if self.model.spec.ignore_merges else None
            self._together = together.Together(self.model, speller, whole)
            self.cache = together.BatchCache(self.cache, self._together)
        return self._tokenize


class CutBPE:
    """BPE over characters of text that no pre-tokenizer has cut to words."""

    def __init__(self, pre_tokenizer: PreTokenizer | None, model: BPE, joined: str) -> None:
        self.model = model
        self.pre_tokenizer = pre_tokenizer
        self.joined = joined
        self.symbols = CharacterIds(model)
        self.cache = PieceCache(self._merge, self._hasten)
        self.bulk: Bulk | None = None
        self._numpy = Numpy()
        self._find_words: Callable[[str], list[str]] | None = None
        self._quick_left = _QUICK_TOTAL
        self._merges_left = _MERGES

    def encode(self, parts: list[Part]) -> list[int]:
        """Return the ids of the parts of a text."""
        if self._is_bulk([parts]):
            found = self.bulk.encode(map(self._pieces, parts))  # type: ignore[union-attr]
            if found is not None:
                return found
        ids: list[int] = []
        for part in parts:
            if type(part) is int:
                ids.append(part)
            else:
                ids += self.cache.encode(self.words(*part))  # type: ignore[misc]
        return ids

    def encode_many(self, texts: list[list[Part]]) -> list[list[int]]:
        """Return the ids of the parts of each text."""
        found = None
        if len(texts) > 1 and self._is_bulk(texts):
            found = self.bulk.encode_many([map(self._pieces, parts) for parts in texts])  # type: ignore[union-attr]
        return list(map(self.encode, texts)) if found is None else found

    def encode_marked(self, text: str, ids: list[int]) -> list[int] | None:
        """Return the ids of a text with a `bulk.MARK` for each of the given ids; None if it has to be cut first.

        `bulk` has to be there.
        """
        return self.bulk.encode_marked(text, ids) if self._is_one_piece(text) else None  # type: ignore[union-attr]

    def encode_marked_many(self, text: str, ids: list[int]) -> list[list[int]] | None:
        """Do the same for several texts in a row; the id `bulk.END` is the end of each."""
        return self.bulk.encode_marked_many(text, ids) if self._is_one_piece(text) else None  # type: ignore[union-attr]

    def _is_one_piece(self, text: str) -> bool:
        """Tell whether the pre-tokenizer surely leaves a text as it is."""
        if self.pre_tokenizer is None:
            return True
        character = getattr(self.pre_tokenizer, "character", None)
        return character is not None and character not in text

    def _pieces(self, part: Part) -> list[str] | int:
        return part if type(part) is int else self.pieces(*part)  # type: ignore[misc]

    def pieces(self, text: str, first: bool) -> list[str]:
        """Return what the pre-tokenizer makes of a text."""
        return [text] if self.pre_tokenizer is None else self.pre_tokenizer.pre_tokenize(text, first)

    def words(self, text: str, first: bool) -> Iterable[str]:
        """Return the words of a text."""
        return chain.from_iterable(map(self._words, self.pieces(text, first)))

    def _words(self, text: str) -> list[str]:
        if self._find_words is None:
            if self._quick_left >= len(text):
                self._quick_left -= len(text)
                return cut_words(text, self.joined)
            self._find_words = words_finder(self.joined)
        return self._find_words(text)

    def _merge(self, word: str) -> list[int]:
        self._merges_left -= 1
        if not self._merges_left:
            self.model.whole_pairs()
        own = self.model.own(word.encode())
        if own is not None:
            return [own]
        ids = list(map(self.symbols.__getitem__, word))
        return merge(self.model.symbols(word) if None in ids else ids, self.model.pairs)  # type: ignore[arg-type]

    def _hasten(self) -> Callable[[str], list[int]]:
        from tokenizers_lite.pipeline import spelling

        return spelling.of_characters(self.model, self._merge).spell

    def _is_bulk(self, texts: list[list[Part]]) -> bool:
        """Tell whether texts are long enough for a `Bulk`, and make it if it is not there yet."""
        size = sum(len(part[0]) for parts in texts for part in parts if type(part) is tuple)
        if size < BULK_LENGTH or self.bulk is not None:
            return size >= BULK_LENGTH
        np = self._numpy.after(size)
        if np is None:
            return False
        from tokenizers_lite import bulk

        model = self.model
        merger = bulk.merger(np, model, self.symbols.__getitem__)
        # Who encodes much text may have short texts as well, which are merged here.
        self._merges_left = min(self._merges_left, _MERGES // 30)
        self.bulk = bulk.Bulk(np, bulk.of_characters(np, model.joined_tokens(CUT)), self._merge, merger)
        return True


class CharacterIds(dict[str, "int | None"]):
    """Character -> its id, None if it has none; looked up when missing."""

    def __init__(self, model: BPE) -> None:
        super().__init__()
        self._id_of = model.token_to_id

    def __missing__(self, char: str) -> int | None:
        id_ = self._id_of(char)
        if id_ is not None:  # there is no bound on those that have none
            self[char] = id_
        return id_


class ByteIds(dict[int, "int | None"]):
    """Byte -> id of its character in the alphabet, None if there is no such token; looked up when missing."""

    def __init__(self, model: BPE) -> None:
        super().__init__()
        self._id_of = model.token_to_id

    def __missing__(self, byte: int) -> int | None:
        id_ = self[byte] = self._id_of(CHARS[byte])
        return id_


def byte_symbols(model: BPE) -> ByteIds | None:
    """Return the id of each byte's character in the alphabet.

    SmolLM2 has no token for some bytes; without unk they leave nothing. None
    if the model would put something else in their place.
    """
    ids = ByteIds(model)
    spec = model.spec
    replaced = spec.unk_token is not None or spec.byte_fallback
    return None if replaced and any(ids[byte] is None for byte in range(256)) else ids


def joined_characters(model: BPE) -> str | None:
    r"""Return the characters x for which a token holds "x▁"; None if text may not be cut at ``▁`` at all.

    A merge makes a token, so where no token holds "x▁" no merge can join x and
    ▁, and BPE of the parts equals BPE of the whole. Gemma 3 joins one: ``>▁</``.
    Symbols that are not the text's own characters would break the argument:
    unk (fused across the cut) and byte tokens that merge further.
    """
    import re

    spec = model.spec
    if model.affixes or spec.dropout or spec.ignore_merges or not spec.byte_fallback:
        return None
    tokens = "\0".join(spec.vocab)
    if re.search("<0x[0-9A-F]{2}>[^\0]|[^\0]<0x[0-9A-F]{2}>", tokens):
        return None
    missing = [byte for byte in range(256) if model.token_to_id(f"<0x{byte:02X}>") is None]
    if any(byte >= 0x80 or model.token_to_id(chr(byte)) is None for byte in missing):
        return None
    return "".join(sorted(set(re.findall("([^▁\0])▁", tokens))))


def cut_words(text: str, joined: str) -> list[str]:
    """Cut a text before each run of ``▁`` that does not follow one of `joined`.

    >>> cut_words("▁a▁▁b", "")
    ['▁a', '▁▁b']
    """
    words = []
    start = at = 0
    while (at := text.find("▁", at + 1)) > 0:
        before = text[at - 1]
        if before != "▁" and before not in joined:
            words.append(text[start:at])
            start = at
    words.append(text[start:])
    return words


def words_finder(joined: str) -> Callable[[str], list[str]]:
    """Return a compiled `cut_words`."""
    import re

    if not joined:
        return re.compile("▁*[^▁]+|▁+").findall
    return re.compile(f"▁*[^▁]+(?:(?<=[{re.escape(joined)}])▁+[^▁]*)*|▁+").findall
