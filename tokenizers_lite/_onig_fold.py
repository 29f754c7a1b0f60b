"""Case-insensitive literals and classes, spelled out the way Oniguruma does.

Oniguruma turns ``(?i)`` into alternatives when it compiles (regcomp.c,
`unravel_case_fold_string`; regparse.c, `i_apply_case_fold`), and so do we: no
case-insensitive matching is left afterwards.
"""

from __future__ import annotations

from tokenizers_lite import _unicode
from tokenizers_lite._onig_nodes import Alt, Atomic, Capture, Chars, Closed, Literal, Look, Node, Repeat, Seq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite._unicode import Ranges

_fold: dict[str, str] = {}
_unfold: dict[str, str] = {}  # fold -> every character with that fold


def _maps() -> tuple[dict[str, str], dict[str, str]]:
    if not _unfold:
        fold = _unicode.fold_map()
        unfold: dict[str, str] = {}
        for char, folded in sorted(fold.items()):
            if len(folded) == 1 and folded not in unfold:
                unfold[folded] = folded
            unfold[folded] = unfold.get(folded, "") + char
        _fold.update(fold)
        _unfold.update(unfold)
    return _fold, _unfold


def chars_of(text: str) -> Ranges:
    """Return the ranges of the characters of `text`."""
    return _unicode.union((ord(char), ord(char)) for char in text)


def _variants(folded: str) -> list[Node]:
    """Return what matches each character of an already folded sequence."""
    return [Chars(chars_of(_maps()[1].get(char, char))) for char in folded]


def _alternatives(folded: str) -> Node:
    """Return what matches the fold of one character, which may be a sequence."""
    singles = Chars(chars_of(_maps()[1].get(folded, folded))) if folded in _maps()[1] or len(folded) == 1 else None
    if len(folded) == 1:
        assert singles is not None
        return singles
    sequence = Seq(_variants(folded))
    return Alt([singles, sequence]) if singles else sequence


def literal(text: str, fold: bool, behind: bool) -> list[Node]:
    """Return the parts that match a literal.

    With `fold`, the longest run of two or three characters that is the fold of
    a single one (``ss``: ``ß``) becomes alternatives, else each character does.
    Look-behind knows one character for one only.
    """
    if not fold:
        return [Chars(chars_of(char)) for char in text]
    folds, unfold = _maps()
    parts: list[Node] = []
    at = 0
    while at < len(text):
        folded = folds.get(text[at], text[at])
        if behind:
            parts.append(Chars(chars_of(unfold.get(folded, "") + text[at])))
            at += 1
            continue
        size = 1
        if len(folded) == 1:
            for longer in (3, 2):
                sequence = [folds.get(char, char) for char in text[at : at + longer]]
                key = "".join(sequence)
                if len(sequence) == longer == len(key) and key in unfold:
                    folded, size = key, longer
                    break
        parts.append(_alternatives(folded))
        at += size
    return parts


def unfold(node: Node, behind: bool = False) -> Node:
    """Replace every literal by sets of characters, spelling out case folding."""
    if isinstance(node, Literal):
        parts = literal(node.text, node.fold, behind)
        return parts[0] if len(parts) == 1 else Seq(parts)
    if isinstance(node, Seq):
        return Seq([unfold(part, behind) for part in node.parts])
    if isinstance(node, Alt):
        return Alt([unfold(part, behind) for part in node.parts])
    if isinstance(node, Repeat):
        return Repeat(unfold(node.body, behind), node.low, node.high, node.kind)
    if isinstance(node, Capture):
        return Capture(unfold(node.body, behind), node.number)
    if isinstance(node, Closed):
        return unfold(node.body, behind)
    if isinstance(node, Atomic):
        return Atomic(unfold(node.body, behind))
    if isinstance(node, Look):
        return Look(unfold(node.body, behind or node.behind), node.behind, node.negative)
    return node


def fold_class(ranges: Ranges, negative: bool) -> Node:
    """Return a case-insensitive class: its characters' equals, and the sequences they fold to.

    A negated class is folded before it is negated and knows no sequences.
    """
    unfold = _maps()[1]
    found = [folded for folded, chars in unfold.items() if any(_unicode.contains(ranges, ord(c)) for c in chars)]
    ranges = _unicode.union(ranges, *(chars_of(unfold[folded]) for folded in found))
    if negative:
        return Chars(_unicode.complement(ranges))
    sequences = sorted((folded for folded in found if len(folded) > 1), key=lambda folded: (len(folded), folded))
    if not sequences:
        return Chars(ranges)
    return Alt([Chars(ranges), *(Seq(_variants(folded)) for folded in sequences)])
