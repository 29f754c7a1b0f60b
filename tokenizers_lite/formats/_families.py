"""Byte-level pipelines of model families, for files that hold a vocabulary but no pipeline.

A family is what its models' tokenizer.json files have in common: normalizer,
pre-tokenizer, and whether a piece that is a token is taken whole.
"""

from __future__ import annotations

from tokenizers_lite._record import Record
from tokenizers_lite.spec import Pattern, decoders, models, normalizers, post_processors, pre_tokenizers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenizers_lite.spec import Spec

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
)

QWEN2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN35 = (
    _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# tiktoken's own, with its possessive quantifiers and `$` spelled for Oniguruma.
# It is not LLAMA3: white space at the end of a text stays one piece.
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"
)
O200K = (
    _CASED[0] + _CONTRACTIONS + "?|" + _CASED[1] + _CONTRACTIONS
    + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)  # fmt: skip
TEKKEN = "|".join(_CASED) + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DEEPSEEK_V3 = (
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",  # noqa: E501
)


class Family(Record):
    """A byte-level BPE pipeline."""

    pre_tokenizer: pre_tokenizers.PreTokenizer
    normalizer: normalizers.Normalizer | None = None
    ignore_merges: bool = False


def split(*patterns: str, trim_offsets: bool = True) -> pre_tokenizers.Sequence:
    """Split by patterns in turn, then map to the byte alphabet."""
    pieces = tuple(pre_tokenizers.Split(Pattern(text, True), "Isolated", False) for text in patterns)
    return pre_tokenizers.Sequence((*pieces, pre_tokenizers.ByteLevel(False, trim_offsets, False)))


def gpt2(add_prefix_space: bool = False) -> Family:
    """GPT-2's own pattern."""
    return Family(pre_tokenizers.ByteLevel(add_prefix_space, True, True))


def digits() -> Family:
    """GPT-2's pattern with every digit apart (StarCoder, SmolLM)."""
    parts = (pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False, True, True))
    return Family(pre_tokenizers.Sequence(parts))


def qwen2(pattern: str = QWEN2) -> Family:
    """Qwen's pipeline, which composes characters first."""
    return Family(split(pattern, trim_offsets=False), normalizers.NFC())


def tiktoken(pattern: str) -> Family:
    """What tiktoken does with a pattern: a piece that is a token is taken whole."""
    return Family(split(pattern), None, True)


def byte_level(
    vocab: Mapping[str, int], merges: list[tuple[str, str]], family: Family, ignore_merges: bool | None = None
) -> Spec:
    """Make the spec of a byte-level BPE vocabulary; the post-processor adds nothing."""
    from tokenizers_lite.spec import Spec

    whole = family.ignore_merges if ignore_merges is None else ignore_merges
    return Spec(
        model=models.BPE(vocab, merges, ignore_merges=whole),
        normalizer=family.normalizer,
        pre_tokenizer=family.pre_tokenizer,
        post_processor=post_processors.ByteLevel(True, False, True),
        decoder=decoders.ByteLevel(True, True, True),
    )
