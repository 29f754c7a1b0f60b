"""Spec of the post-processors: tokens -> tokens with special tokens."""

from __future__ import annotations

from tokenizers_lite._record import Record


class PostProcessor(Record):
    """Base of all post-processors."""


class BertProcessing(PostProcessor):
    """``[CLS] A [SEP]`` and ``[CLS] A [SEP] B [SEP]``."""

    sep: tuple[str, int]
    cls: tuple[str, int]


class ByteLevel(PostProcessor):
    """Trim white space from offsets; adds no token."""

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True


class RobertaProcessing(PostProcessor):
    """``<s> A </s>`` and ``<s> A </s></s> B </s>``."""

    sep: tuple[str, int]
    cls: tuple[str, int]
    trim_offsets: bool = True
    add_prefix_space: bool = True


class Sequence(PostProcessor):
    """Apply several post-processors in order."""

    processors: tuple[PostProcessor, ...]


class TemplatePiece(Record):
    """One item of a template: a sequence (``A``/``B``) or a special token."""

    id: str
    special: bool
    type_id: int = 0


class TemplateProcessing(PostProcessor):
    """Arrange sequences and special tokens by template."""

    single: tuple[TemplatePiece, ...]
    pair: tuple[TemplatePiece, ...]
    special_tokens: tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...] = ()  # (name, ids, tokens)
