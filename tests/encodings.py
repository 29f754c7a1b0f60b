"""Encodings of ours beside those of tokenizers."""

from tokenizers_lite.encoding import Encoding

COLUMNS = ("ids", "type_ids", "tokens", "offsets", "word_ids", "special_tokens_mask", "attention_mask", "sequence_ids")


def ours(theirs, type_id=0):
    """Return our encoding of the tokens that tokenizers found, before any post-processing."""
    return Encoding.of(theirs.ids, theirs.tokens, theirs.offsets, theirs.word_ids, type_id)


def assert_same(mine, theirs):
    """Compare all columns, and what overflowed."""
    for name in COLUMNS:
        assert list(getattr(mine, name)) == getattr(theirs, name), name
    assert mine.n_sequences == theirs.n_sequences
    assert len(mine) == len(theirs)
    assert len(mine.overflowing) == len(theirs.overflowing)
    for a, b in zip(mine.overflowing, theirs.overflowing, strict=True):
        assert_same(a, b)
