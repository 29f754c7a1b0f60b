"""Normalizers of a spec -> nodes of .mtok, and what is lost on the way."""

from __future__ import annotations

from tokenizers_lite.spec import normalizers
from vocab_converters._facts import Loss, flat_normalizers
from vocab_converters._nodes import NORMALIZERS, Node, make
from vocab_converters.emulate._stages import BLANKED
from vocab_converters.emulate._unicode15 import OTHER, unicode_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NONE = Node(0)
LONGEST_RUN = 128  # of characters that vanish; the 96 tags of flags are the longest that occurs in text


def normalizer_node(node: normalizers.Normalizer | None, losses: list[Loss], *, compose: bool = False) -> Node:
    """Translate the normalizers one by one."""
    out: list[Node] = []
    for step in flat_normalizers(node):
        if isinstance(step, normalizers.Prepend):
            out.append(make(NORMALIZERS, "prepend", step.prepend))
        elif isinstance(step, normalizers.Replace) and not step.pattern.regex:
            out.append(make(NORMALIZERS, "replace", step.pattern.text, step.content))
        elif isinstance(step, normalizers.Strip):
            out.append(make(NORMALIZERS, "strip", int(step.strip_left), int(step.strip_right)))
        elif isinstance(step, normalizers.BertNormalizer):
            out += _bert(step)
        elif isinstance(step, normalizers.NFC) and compose:
            out += [make(NORMALIZERS, "replace", pair, composed) for pair, composed in common_pairs()]
            what = "NFC is done for common pairs of letter and mark only, and encoding is slower"
            losses.append(Loss("normalizer", what, "normalize in the app (java.text.Normalizer) before encoding"))
        elif isinstance(step, (normalizers.NFC, normalizers.NFD)):
            what = f"{type(step).__name__} is left out: the readers' table cannot compose and destroys joiners"
            losses.append(Loss("normalizer", what, "normalize in the app (java.text.Normalizer) before encoding"))
        elif not isinstance(step, normalizers.ByteLevel):
            out += _character_table(step, losses)
    if len(out) == 1:
        return out[0]
    return make(NORMALIZERS, "sequence", tuple(out)) if out else NONE


def common_pairs() -> list[tuple[str, str]]:
    """Return pairs of letter and mark with what NFC makes of them, so ordered that results pair again.

    Latin, Vietnamese, Greek, Cyrillic and kana. A text in NFC holds none of
    these pairs, so replacing them never makes a text worse.
    """
    import unicodedata

    found = []
    for code in (*range(0xC0, 0x250), *range(0x386, 0x460), *range(0x1E00, 0x1F00), *range(0x3040, 0x3100)):
        char = chr(code)
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<") and unicodedata.normalize("NFC", char) == char:
            depth = len(unicodedata.normalize("NFD", char))
            found.append((depth, code, "".join(chr(int(part, 16)) for part in parts), char))
    return [(pair, char) for _, _, pair, char in sorted(found)]


def _bert(step: normalizers.BertNormalizer) -> list[Node]:
    """Translate BERT's normalizer exactly, which the readers' own does not do.

    Theirs drops all marks where `tokenizers` drops only Mn, keeps format
    characters and lower-cases one to one. So only its first two steps are
    used, and a table does the rest; format characters are removed before the
    table, which would turn them into blanks.
    """
    own = make(NORMALIZERS, "bert-nfd", int(step.clean_text), int(step.handle_chinese_chars), 0, 0)
    by_character = _mapping(step.replace(handle_chinese_chars=False))
    removed = [(code, text) for code, text in by_character if code in BLANKED and code > 0x9F]
    kept = [] if step.clean_text else [code for code in BLANKED if code > 0x9F]
    if kept or not by_character:
        return [own]  # without clean_text format characters must stay; the table would blank them
    replaced = [make(NORMALIZERS, "replace", chr(code), text) for code, text in removed]
    return [own, *replaced, make(NORMALIZERS, "table", tuple(by_character))]


def _mapping(step: normalizers.Normalizer) -> list[tuple[int, str]]:
    """Return what a normalizer makes of each single character, where it is not the same.

    Long runs of unassigned and private characters that vanish are left out:
    a quarter of a million entries for text that nobody writes.
    """
    from tokenizers_lite.normalizers import build

    normalize = build(step).normalize
    found: list[tuple[int, str]] = []
    unassigned: list[tuple[int, str]] = []
    for start in range(0, 0x110000, 4096):
        codes = [code for code in range(start, start + 4096) if code and not 0xD800 <= code < 0xE000]
        for code, text in zip(codes, _each(normalize, codes), strict=True):
            if not text and unicode_class(code) == OTHER:
                unassigned.append((code, text))
                continue
            found += unassigned if len(unassigned) <= LONGEST_RUN else []
            unassigned = []
            if text != chr(code):
                found.append((code, text))
    return found


def _each(normalize: Callable[[str], str], codes: list[int]) -> list[str]:
    """Normalize characters one by one, most of the time all at once with a character between that nothing changes."""
    between = "\u4e00"
    parts = normalize(between.join(map(chr, codes))).split(between)
    return parts if len(parts) == len(codes) else [normalize(chr(code)) for code in codes]


def _character_table(step: normalizers.Normalizer, losses: list[Loss]) -> list[Node]:
    """Approximate a normalizer by what it does to single characters."""
    table = _mapping(step)
    name = type(step).__name__
    what = f"{name} is applied to single characters only, and format characters become blanks"
    losses.append(Loss("normalizer", what, "the compact format keeps it"))
    return [make(NORMALIZERS, "table", tuple(table))] if table else []
