"""What the merges of a compact file say: texts and ranks of all tokens, read whole."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats._compact_columns import sized
from tokenizers_lite.formats.compact import NO_PAIR, pair_tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.formats.compact import Container

# Longest token and all tokens together, in bytes: merges can double, so a small file could claim gigabytes.
_MAX_TEXT = 1 << 16
_MAX_TEXTS = 1 << 27


def texts(container: Container, size: int) -> list[bytes]:
    """Return the bytes of every token, rebuilt from base tokens and merges."""
    found = [b""] * size
    base = bytes(container.section("BASE"))
    at = 0
    left, right = pair_ids(container, size)
    merged = []
    for id_, first in enumerate(left):
        if first == NO_PAIR:
            found[id_], at = sized(base, at, container.name, "BASE")
        else:
            merged.append(id_)
    _join(container, found, left, right, merged)
    return found


def _join(container: Container, texts: list[bytes], left: list[int], right: list[int], merged: list[int]) -> None:
    """Fill in the texts of merged tokens; a part may have a higher id or a later rank than the whole."""
    total = 0
    waiting = set(merged)
    for first in merged:
        stack = [first]
        while stack:
            id_ = stack[-1]
            if id_ not in waiting:
                stack.pop()
                continue
            parts = [part for part in (left[id_], right[id_]) if part in waiting]
            if parts:
                stack += parts
                if len(stack) > _MAX_TEXT:
                    raise SpecError("merges run in a circle", file=container.name, field="section PAIR")
                continue
            text = texts[id_] = texts[left[id_]] + texts[right[id_]]
            total += len(text)
            if len(text) > _MAX_TEXT or total > _MAX_TEXTS:
                raise SpecError("token texts are too long to be real", file=container.name, field="section PAIR")
            waiting.discard(id_)
            stack.pop()


def pair_ids(container: Container, size: int) -> tuple[list[int], list[int]]:
    """Return the left and the right id of the merge that makes each token; NO_PAIR if none does."""
    tag = pair_tag(container)
    planes = bytes(container.section(tag, 6))
    n = size
    a, b, c, d, e, f = (planes[i * n : (i + 1) * n] for i in range(6))
    if tag == "PAIG":
        a, d = _ungrouped(a, b, c), _ungrouped(d, e, f)
    left, right = _from_planes(a, b, c), _from_planes(d, e, f)
    if any(first != NO_PAIR and (first >= n or second >= n) for first, second in zip(left, right, strict=True)):
        raise SpecError("a merge names an id that does not exist", file=container.name, field="section PAIR")
    return left, right


def _from_planes(low: bytes, middle: bytes, high: bytes) -> list[int]:
    """Return numbers whose bytes lie in three planes."""
    whole = bytearray(4 * len(low))
    whole[::4], whole[1::4], whole[2::4] = low, middle, high
    return memoryview(whole).cast("I").tolist()


def rank_order(container: Container, size: int) -> list[int]:
    """Return the ids that merges make, best merge first.

    That is the order of the ids but for the exceptions of RNKX: pairs of
    an id and how many regular ids come before it.
    """
    left, _ = pair_ids(container, size)
    moved = container.section("RNKX", 8).cast("I").tolist() if container.has("RNKX") else []
    exceptions = set(moved[::2])
    regular = [id_ for id_, first in enumerate(left) if first != NO_PAIR and id_ not in exceptions]
    order: list[int] = []
    done = 0
    for id_, before in zip(moved[::2], moved[1::2], strict=True):
        if not done <= before <= len(regular) or id_ >= size:
            raise SpecError("exceptions are out of order", file=container.name, field="section RNKX")
        order += regular[done:before]
        order.append(id_)
        done = before
    return order + regular[done:]


def _ungrouped(lows: bytes, middles: bytes, highs: bytes) -> bytes:
    """Return low bytes in the order of ids; they are stored grouped by the higher bytes."""
    keys = [middle | high << 8 for middle, high in zip(middles, highs, strict=True)]
    sizes: dict[int, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    places = {}
    at = 0
    for key in sorted(sizes):
        places[key] = at
        at += sizes[key]
    out = bytearray()
    for key in keys:
        at = places[key]
        out.append(lows[at])
        places[key] = at + 1
    return bytes(out)
