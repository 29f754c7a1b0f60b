r"""Cutting for models whose symbols are bytes: a piece of text -> parts that are merged one by one.

Besides the rule of `cutting` there is a stronger one. Tokens of bytes may end
inside a character (``Ġ\xe4``), and by the plain rule such a token keeps a
character from being cut off whatever its other bytes are. But the lowest rank
merges first: the bytes of a common character are one token long before a merge
of a higher rank could take some of them away.

Let m(y) be the highest rank in the BPE of y alone, if that is a single token. A
merge that takes only a part of y and something outside of it has a rank R. At
the moment of the first such merge the bytes of y are in a state of y's own
BPE that is not its last, so a merge of rank m(y) or less was open; the lowest
rank goes first, so R <= m(y). If no such merge of R <= m(y) fits the neighbours of y,
then y becomes one token before anything else happens to it, and

* a boundary between two such characters is only crossed by merges of tokens
  that hold both of them whole, so it may be cut where no token does;
* merging may start from such characters instead of from their bytes, if
  all merges of the character's token come after m(y), which is checked.
"""

from __future__ import annotations

from itertools import pairwise
from operator import add

from tokenizers_lite.byte_alphabet import BYTES
from tokenizers_lite.models.bpe import NEVER
from tokenizers_lite.pipeline.cutting import ENTRIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

    from tokenizers_lite.pipeline.merges import Merges

# No merge crosses here, whatever happens around it.
HARD = "\0"
# No merge crosses here, since both characters become one token first.
SOFT = "\1"
# A part of one of the two characters may be taken away: neither counts as one token.
BROKEN = "\2"
MARKS = frozenset((HARD, SOFT, BROKEN))

_ID = (1 << 32) - 1
_ESCAPE = 0xDC00  # what "surrogateescape" adds to a byte
# One of these stands between tokens in the text of all of them: noncharacters, and at last a byte that no text has.
_BETWEEN = (*(chr(code).encode() for code in range(0xFDD0, 0xFDF0)), b"\xff")


class ByteCuts(dict[str, str]):
    r"""Pair of characters -> the first of them, followed by what may be done between them.

    Args:
        tokens: id -> bytes of every token.
        merges: the merges.
        byte_ids: id of each byte, None for a byte that leaves nothing.
    """

    def __init__(self, tokens: Mapping[int, bytes], merges: Merges, byte_ids: Mapping[int, int | None]) -> None:
        super().__init__()
        # All tokens, with a character between them that is in none; halves of characters are escaped bytes.
        self.text, self.between = joined_tokens(tokens.values())
        self.joined = joined_pairs(self.text, self.between)
        # Few pairs have a half in some token: (whole, half), (half, whole) and, across a border, (half, half).
        self.halved = [pair for pair in self.joined if is_half(pair[0]) or is_half(pair[1])]
        self.before_half = {pair[0] for pair in self.halved if not is_half(pair[0])}
        self.after_half = {pair[1] for pair in self.halved if not is_half(pair[1])}
        leads = {ord(pair[1]) - _ESCAPE for pair in self.halved if is_half(pair[0]) and is_lead(pair[1])}
        self._half_half = bool(leads)
        self._unsteady = self.before_half | self.after_half | {char for lead in leads for char in _starting_with(lead)}
        short = {id_: raw for id_, raw in tokens.items() if len(raw) < 5 and not raw.isascii()}
        self.characters = Characters(short, merges, byte_ids)
        self.fragile = frozenset(byte for byte in range(256) if byte_ids[byte] is None)
        # Merges that take only a part of a character: that part -> (rank, bytes of the other side).
        self._into: dict[bytes, list[tuple[int, bytes]]] = {}
        self._out_of: dict[bytes, list[tuple[int, bytes]]] = {}
        heads = {id_ for id_, raw in short.items() if _is_head(raw)}
        tails = {id_ for id_, raw in short.items() if len(raw) < 4 and _is_tail(raw)}
        for left, right, rank in merges.into(tails, heads):
            if right in heads:
                self._into.setdefault(tokens[right], []).append((rank, tokens[left]))
            if left in tails and not _is_tail(tokens[right][:1]):
                self._out_of.setdefault(tokens[left], []).append((rank, tokens[right]))

    def __missing__(self, pair: str) -> str:
        if len(self) >= ENTRIES:
            self.clear()
        value = self[pair] = pair[0] + self._mark(*pair)
        return value

    def _mark(self, left: str, right: str) -> str:
        if left < "\x80" and right < "\x80":
            return ""
        if self.fragile and not self.fragile.isdisjoint((left + right).encode()):
            return BROKEN
        whole = left + right in self.joined
        if not self._meets_half(left, right):
            return "" if whole else HARD
        if self._breaks(left, right):
            return BROKEN
        return "" if whole else SOFT

    def is_steady(self, text: str) -> bool:
        """Tell whether no merge could take a half of one of a text's characters to another one of them."""
        return self._unsteady.isdisjoint(text)

    def _meets_half(self, left: str, right: str) -> bool:
        """Tell whether some token holds a half of one of the characters next to the other one or a half of it."""
        if left not in self.before_half and right not in self.after_half and not self._half_half:
            return False
        last, lead = _escaped(left, -1), _escaped(right, 0)
        return not self.joined.isdisjoint((left + lead, last + right, last + lead))

    def _breaks(self, left: str, right: str) -> bool:
        """Tell whether a merge across the boundary may take a part of one of the characters."""
        a, b = left.encode(), right.encode()
        latest_a, latest_b = self.characters.settled(left), self.characters.settled(right)
        into = (merge for k in range(1, len(b)) for merge in self._into.get(b[:k], ()))
        if any(rank <= latest_b and (other.endswith(a) or a.endswith(other)) for rank, other in into):
            return True
        out_of = (merge for k in range(1, len(a)) for merge in self._out_of.get(a[k:], ()))
        return any(rank <= latest_a and (other.startswith(b) or b.startswith(other)) for rank, other in out_of)

    def marked(self, piece: str) -> str:
        """Return a piece (not empty, without the marks) with marks between its characters."""
        return "".join(map(self.__getitem__, map(add, piece, piece[1:]))) + piece[-1]


class Characters(dict[str, "int | None"]):
    """Character -> the id of the one token that merging of its bytes makes, None if that is none or several.

    Args:
        tokens: id -> bytes of the tokens of up to four bytes.
        merges: the merges.
        byte_ids: id of each byte, None for a byte that leaves nothing.
    """

    def __init__(self, tokens: Mapping[int, bytes], merges: Merges, byte_ids: Mapping[int, int | None]) -> None:
        super().__init__()
        self._pairs = merges.pairs
        self.byte_ids = byte_ids
        self._settled: dict[str, int] = {}
        single = [id_ for id_, raw in tokens.items() if len(raw) > 1 and _is_one_character(raw)]
        self._made = merges.latest(single)
        # Characters whose token merges with something at a lower rank than it is made at.
        self._unsteady = {tokens[id_] for id_ in merges.early(self._made)}

    def __missing__(self, char: str) -> int | None:
        id_ = self.byte_ids[ord(char)] if char < "\x80" else self._merge(char)[1]
        if len(self) < ENTRIES:
            self[char] = id_
        return id_

    def settled(self, char: str) -> int:
        """Return the highest rank in the BPE of a character that becomes one token, `NEVER` for others."""
        latest = self._settled.get(char)
        if latest is None:
            latest = -1 if char < "\x80" else self._merge(char)[0]
            if len(self._settled) < ENTRIES:
                self._settled[char] = latest
        return latest

    def _merge(self, char: str) -> tuple[int, int | None]:
        raw = char.encode()
        ids = [self.byte_ids[byte] for byte in raw]
        if None in ids or raw in self._unsteady:
            return NEVER, None
        latest = -1
        while len(ids) > 1:
            values = [self._pairs.get(a << 32 | b, NEVER) for a, b in pairwise(ids)]  # type: ignore[operator]
            best = min(values)
            if best == NEVER:
                return NEVER, None
            at = values.index(best)
            ids[at : at + 2] = [best & _ID]
            latest = max(latest, best >> 32)
        id_ = ids[0]
        # Only then do the checks of `_unsteady`, which look at the last merge, hold for all of them.
        return (latest, id_) if latest == self._made.get(id_ or 0, -1) else (NEVER, None)


def joined_tokens(raws: Collection[bytes]) -> tuple[str, str]:
    """Return the text of all tokens with a character between them that none of them has, and that character."""
    for between in _BETWEEN:
        joined = between.join(raws)
        if joined.count(between) < max(len(raws), 1):
            break
    return joined.decode("utf-8", "surrogateescape"), between.decode("utf-8", "surrogateescape")


def joined_pairs(text: str, between: str) -> set[str]:
    """Return the pairs of characters, not both ASCII, that stand side by side in some token.

    A byte 0xFF in a token is what `token_bytes` could not read; no text has it.
    """
    import sys

    np = sys.modules.get("numpy")
    if np is not None:
        return joined_pairs_by(np, text, between)
    import re

    other = f"[^\0-\x7f\udcff{between}]"
    joined: set[str] = set(re.findall(f"(?=([\0-\x7f]{other}|{other}[\0-\x7f]))", text))
    for run in re.findall(other + "{2,}", text):
        joined.update(map(add, run, run[1:]))
    return joined


def joined_pairs_by(np: Any, text: str, between: str) -> set[str]:
    """Do the same by numpy."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    inside = (codes != ord(between)) & (codes != 0xDCFF)
    ascii_ = codes < 0x80
    wanted = ~(ascii_[:-1] & ascii_[1:]) & inside[:-1] & inside[1:]
    pairs = np.unique(codes[:-1][wanted] << np.uint64(32) | codes[1:][wanted])
    found = (pairs >> np.uint64(32) | pairs << np.uint64(32)).tobytes().decode("utf-32-le", "surrogatepass")
    return set(map(add, found[::2], found[1::2]))


def token_bytes(tokens: Iterable[str]) -> list[bytes]:
    """Return the bytes of tokens in the byte alphabet; other characters become 0xFF, which is in no text."""
    table = _ToLatin({ord(char): chr(byte) for char, byte in BYTES.items()} | {ord("\n"): "\u0100"})
    return [token.encode("latin-1") for token in "\n".join(tokens).translate(table).split("\u0100")]


class _ToLatin(dict[int, str]):
    """Character of the alphabet -> Latin-1 character of its byte; all others -> 0xFF."""

    def __missing__(self, code: int) -> str:
        return "\xff"


def is_half(char: str) -> bool:
    """Tell whether this is a byte, as ``surrogateescape`` writes it."""
    return "\udc80" <= char <= "\udcff"


def is_lead(char: str) -> bool:
    """Tell whether this is a byte that begins a character, as ``surrogateescape`` writes it."""
    return "\udcc0" <= char <= "\udcff"


def _escaped(char: str, at: int) -> str:
    return char if char < "\x80" else chr(_ESCAPE + char.encode()[at])


def _needed(lead: int) -> int:
    """Return how many bytes a character takes that starts with `lead`."""
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def _starting_with(lead: int) -> Iterator[str]:
    """Yield the characters whose first byte is `lead`."""
    low, shift = (lead & 0x1F, 6) if lead < 0xE0 else (lead & 0x0F, 12) if lead < 0xF0 else (lead & 7, 18)
    return map(chr, range(low << shift, min((low + 1) << shift, 0x110000)))


def _is_tail(raw: bytes) -> bool:
    """Tell whether these are bytes from inside one character."""
    return bool(raw) and all(0x80 <= byte < 0xC0 for byte in raw)


def _is_head(raw: bytes) -> bool:
    """Tell whether these are the first bytes of a character, but not all of it."""
    return len(raw) > 0 and raw[0] >= 0xC0 and len(raw) < _needed(raw[0]) and (len(raw) == 1 or _is_tail(raw[1:]))


def _is_one_character(raw: bytes) -> bool:
    return raw[0] >= 0xC0 and len(raw) == _needed(raw[0]) and _is_tail(raw[1:])
