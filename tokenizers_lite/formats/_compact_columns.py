"""Vocabularies of a compact file that are kept as columns: texts, ids, scores, types, merges."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.formats.compact import Container


def fill(record: Any, kind: str, container: Container) -> Any:
    """Return the record of a model with its vocabulary from the sections.

    Raises:
        SpecError: a section is damaged or does not fit the others.
    """
    texts = text_column(container)
    if kind == "Unigram":
        return record.replace(vocab=tuple(zip(texts, column(container, "SCOR", "d", len(texts)), strict=True)))
    if kind == "SentencePiece":
        scores, types = column(container, "SCOR", "d", len(texts)), column(container, "TYPE", "B", len(texts))
        return record.replace(pieces=tuple(zip(texts, scores, types, strict=True)))
    ids = dict(zip(texts, column(container, "IDS ", "I", len(texts)), strict=True))
    return record.replace(vocab=ids) if kind != "BPE" else record.replace(vocab=ids, merges=_merges(container, ids))


def _merges(container: Container, ids: dict[str, int]) -> tuple[tuple[str, str], ...]:
    by_id = {id_: text for text, id_ in ids.items()}
    flat = container.section("MERG", 8).cast("I")
    try:
        return tuple((by_id[flat[at]], by_id[flat[at + 1]]) for at in range(0, len(flat), 2))
    except KeyError as exc:
        raise SpecError(
            f"a merge names id {exc}, which no token has", file=container.name, field="section MERG"
        ) from exc


def column(container: Container, tag: str, layout: str, count: int) -> list[Any]:
    """Return a section of `count` numbers."""
    column = container.section(tag, {"d": 8, "I": 4, "B": 1}[layout]).cast(layout)  # type: ignore[call-overload]
    if len(column) != count:
        raise SpecError(
            f"the section holds {len(column)} items, not {count}", file=container.name, field=f"section {tag}"
        )
    return list(column)


def text_column(container: Container) -> list[str]:
    data = bytes(container.section("TEXT"))
    at = 0
    texts = []
    while at < len(data):
        raw, at = sized(data, at, container.name, "TEXT")
        texts.append(raw.decode("utf-8", "replace"))
    return texts


def sized(data: bytes, at: int, file: str, tag: str) -> tuple[bytes, int]:
    """Read one length (7 bits a byte, low first, high bit on all but the last) and that many bytes."""
    length = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise SpecError("texts end early", file=file, field=f"section {tag}")
        byte = data[at]
        at += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if at + length > len(data):
        raise SpecError("texts end early", file=file, field=f"section {tag}")
    return data[at : at + length], at + length
