"""The smallest form of a BPE vocabulary: each token's last merge, from which all else follows."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tokenizers_lite.byte_alphabet import from_alphabet
from tokenizers_lite.formats.compact import NO_PAIR, NONE
from tokenizers_lite.models.bpe import BPE, NEVER
from tokenizers_lite.spec import models
from vocab_converters._binary import numbers, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers_lite.spec import Spec

_ID = 0xFFFFFFFF


class Canonical:
    """BPE as one merge a token: the pair that the token's own BPE ends with.

    Whenever two neighbours in the course of BPE join to a token t, the symbols
    inside have merged just as in the BPE of t alone, because no merge crossed
    its ends. So they are the last pair of that BPE, and all other merges that
    make t can never happen (docs/formats/compact.md has the argument in full).
    """

    def __init__(self, raws: list[bytes], pairs: list[tuple[int, int] | None], order: list[int]) -> None:
        self.raws = raws  # id -> stored bytes
        self.pairs = pairs  # id -> the merge that makes it
        self.order = order  # ids that merges make, best merge first
        self.byte_level = False
        self.literal: list[int] = []
        self.holes: list[int] = []

    @classmethod
    def of(cls, spec: Spec) -> Canonical | None:
        """Return the canonical form of a BPE; None for other models, and where the argument above does not hold."""
        model = spec.model
        if not isinstance(model, models.BPE):
            return None
        running = BPE(model)
        if running.affixes or model.dropout or not len(model.vocab):
            return None
        size = max(id_ for _, id_ in model.vocab.items()) + 1
        if size > 2 * len(model.vocab) + 1024 or size >= NO_PAIR:
            return None
        texts: list[str | None] = [None] * size
        for text, id_ in model.vocab.items():
            if texts[id_] is not None:
                return None
            texts[id_] = text
        table = running.pairs if isinstance(running.pairs, dict) else model.merges.whole_table()  # type: ignore[attr-defined]
        if _merges_stand_ins(running, table):
            return None
        form = cls([b""] * size, [None] * size, [])
        form.byte_level = _is_byte_level(spec, running)
        form._store(texts)
        form._derive(texts, table)
        return form

    def _store(self, texts: Sequence[str | None]) -> None:
        for id_, text in enumerate(texts):
            if text is None:
                self.holes.append(id_)
                continue
            raw = from_alphabet(text) if self.byte_level else text.encode()
            if raw is None:
                self.literal.append(id_)
                raw = text.encode()
            self.raws[id_] = raw

    def _derive(self, texts: Sequence[str | None], table: dict[int, int]) -> None:
        """Find the last pair of every token's own BPE."""
        singles = {text: id_ for id_, text in enumerate(texts) if text is not None and len(text) == 1}
        ranks: list[tuple[int, int]] = []
        for id_, text in enumerate(texts):
            if text is None or len(text) < 2:
                continue
            symbols = [singles.get(char, -1) for char in text]
            if -1 in symbols:
                continue
            pair = _last_pair(symbols, table)
            if pair is not None:
                value = table.get(pair[0] << 32 | pair[1], NEVER)
                if value != NEVER and value & _ID == id_:
                    self.pairs[id_] = pair
                    ranks.append((value >> 32, id_))
        ranks.sort()
        self.order = [id_ for _, id_ in ranks]

    def storage(self) -> dict[str, Any]:
        """Return the notes that the spec keeps on how texts are stored."""
        return {"byte_level": self.byte_level, "literal": self.literal, "holes": self.holes}

    def sections(self, index: bool) -> dict[str, bytes]:
        """Return the sections BASE, PAIR, RNKX and, on request, the index."""
        sections = {
            "BASE": b"".join(sized(raw) for raw, pair in zip(self.raws, self.pairs, strict=True) if pair is None),
            "PAIR" if index else "PAIG": self._planes(grouped=not index),
        }
        moved = self._exceptions()
        if moved:
            sections["RNKX"] = numbers("I", moved)
        if index:
            sections.update(self._index())
        return sections

    def _planes(self, grouped: bool) -> bytes:
        """Return left and right ids of all merges, one byte plane after the other: it deflates best.

        Grouped, the low bytes stand in the order of the higher bytes, which deflates better still.
        """
        left = [NO_PAIR if pair is None else pair[0] for pair in self.pairs]
        right = [0 if pair is None else pair[1] for pair in self.pairs]
        planes = []
        for ids in (left, right):
            lows = sorted(ids, key=lambda id_: id_ >> 8) if grouped else ids
            planes += [
                bytes(id_ & 255 for id_ in lows),
                *(bytes(id_ >> shift & 255 for id_ in ids) for shift in (8, 16)),
            ]
        return b"".join(planes)

    def _exceptions(self) -> list[int]:
        """Return (id, regular ids before it) for the ids that do not follow the order of ids."""
        regular = _longest_increasing(self.order)
        moved: list[int] = []
        before = 0
        for id_ in self.order:
            if id_ in regular:
                before += 1
            else:
                moved += (id_, before)
        return moved

    def _index(self) -> dict[str, bytes]:
        ranks = array("I", [NONE]) * len(self.raws)
        for rank, id_ in enumerate(self.order):
            ranks[id_] = rank
        return lookup(self.raws, {*self.literal, *self.holes}) | {"RANK": numbers("I", ranks)}


def lookup(raws: list[bytes], left_out: set[int]) -> dict[str, bytes]:
    """Return the sections by which bytes of tokens are looked up; ids that are `left_out` are not found."""
    size = len(raws)
    mask = (1 << (size * 3 // 2).bit_length()) - 1
    slots = array("I", [NONE]) * (mask + 1)
    for id_, raw in enumerate(raws):
        if id_ in left_out:
            continue
        at = crc32(raw) & mask
        while slots[at] != NONE:
            at = (at + 1) & mask
        slots[at] = id_
    return {
        "OFFS": numbers("I", accumulate(map(len, raws), initial=0)),
        "BLOB": b"".join(raws),
        "HASH": numbers("I", slots),
    }


def _is_byte_level(spec: Spec, model: BPE) -> bool:
    """Tell whether tokens are bytes in GPT-2's alphabet."""
    if spec.pre_tokenizer is None:
        return False
    from tokenizers_lite.pipeline import byte_symbols
    from tokenizers_lite.pre_tokenizers import byte_level_splitter

    return byte_level_splitter(spec.pre_tokenizer) is not None and byte_symbols(model) is not None


def _merges_stand_ins(model: BPE, table: dict[int, int]) -> bool:
    """Tell whether a merge takes a byte token or unk, which stand for other text than their own."""
    stand_ins = {model.token_to_id(f"<0x{byte:02X}>") for byte in range(256)} if model.spec.byte_fallback else set()
    stand_ins.add(model.token_to_id(model.spec.unk_token or ""))
    stand_ins.discard(None)
    return any(key >> 32 in stand_ins or key & _ID in stand_ins for key in table)


def _last_pair(symbols: list[int], table: dict[int, int]) -> tuple[int, int] | None:
    """Return the two symbols that BPE of `symbols` arrives at, None if it stops before."""
    get = table.get
    ranks = [get(a << 32 | b, NEVER) for a, b in pairwise(symbols)]
    while len(symbols) > 2:
        best = min(ranks)
        if best == NEVER:
            return None
        at = ranks.index(best)
        merged = symbols[at] = best & _ID
        del symbols[at + 1], ranks[at]
        if at:
            ranks[at - 1] = get(symbols[at - 1] << 32 | merged, NEVER)
        if at < len(ranks):
            ranks[at] = get(merged << 32 | symbols[at + 1], NEVER)
    return symbols[0], symbols[1]


def _longest_increasing(values: list[int]) -> set[int]:
    """Return the members of a longest increasing subsequence of distinct values."""
    tails: list[int] = []
    places: list[int] = []
    for value in values:
        at = bisect_right(tails, value)
        tails[at : at + 1] = [value]
        places.append(at)
    members = set()
    want = len(tails) - 1
    for value, place in zip(reversed(values), reversed(places), strict=True):
        if place == want:
            members.add(value)
            want -= 1
    return members
