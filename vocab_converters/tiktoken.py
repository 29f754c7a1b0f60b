"""Spec -> .tiktoken: one line a token, base64 of its bytes and its rank.

The format holds byte-level BPE whose merge order is the order of the ids, and
neither the pattern nor the special tokens.
"""

from __future__ import annotations

import base64

from tokenizers_lite.byte_alphabet import BYTES, CHARS
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Spec, models
from vocab_converters._facts import Loss, flat_normalizers, is_byte_level
from vocab_converters.emulate._merge import merge


def write_tiktoken(spec: Spec) -> tuple[bytes, list[Loss]]:
    """Return the bytes of a .tiktoken file and what it does not hold.

    Raises:
        SpecError: the model is not byte-level BPE, or a token is not bytes.
    """
    model = spec.model
    if not isinstance(model, models.BPE) or not is_byte_level(spec):
        raise SpecError(".tiktoken holds byte-level BPE only", field="model", value=type(model).__name__)
    added = {token.content for token in spec.added_tokens}
    lines = []
    for text, number in sorted(model.vocab.items(), key=lambda item: item[1]):
        if text in added:
            continue
        try:
            data = bytes(BYTES[char] for char in text)
        except KeyError:
            raise SpecError("a token is not written in the byte alphabet", field="model.vocab", value=text) from None
        lines.append(base64.b64encode(data) + b" %d\n" % number)
    losses = [Loss("pre_tokenizer", "the pattern is not in the file", "pass it to tiktoken.Encoding(pat_str=)", "data")]
    if added:
        what = f"{len(added)} special tokens are not in the file"
        losses.append(Loss("added_tokens", what, "pass them to tiktoken.Encoding(special_tokens=)", "data"))
    if any(type(step).__name__ != "ByteLevel" for step in flat_normalizers(spec.normalizer)):
        losses.append(Loss("normalizer", "tiktoken does not normalize", "normalize first: unicodedata.normalize"))
    if not model.ignore_merges and (lost := _whole_tokens(model)):
        what = f"tiktoken finds {len(lost)} tokens whole that merges never yield, such as {lost[0]!r}"
        losses.append(Loss("model.ignore_merges", what))
    return b"".join(lines), losses


def _whole_tokens(model: models.BPE) -> list[str]:
    """Return tokens that no merge produces at all."""
    made = {left + right for left, right in model.merges}
    return [text for text in model.vocab if len(text) > 1 and text not in made and not text.startswith("<")]


def read_back(spec: Spec, data: bytes) -> Spec:
    """Return `spec` with the model that tiktoken makes of the file: merges follow from the ranks."""
    ranks: dict[str, int] = {}
    for line in data.splitlines():
        encoded, number = line.split()
        ranks["".join(CHARS[byte] for byte in base64.b64decode(encoded))] = int(number)
    merges = []
    for text, rank in ranks.items():
        if len(text) > 1:
            parts = _parts(text, rank, ranks)
            if len(parts) == 2:
                merges.append((rank, parts[0], parts[1]))
    pairs = [(left, right) for _, left, right in sorted(merges)]
    return spec.replace(model=models.BPE(ranks, pairs, ignore_merges=True))


def _parts(text: str, limit: int, ranks: dict[str, int]) -> list[str]:
    """Return what a token is merged from last, using lower ranks only."""

    def lookup(left: str, right: str) -> tuple[float, str] | None:
        rank = ranks.get(left + right)
        return None if rank is None or rank >= limit else (rank, left + right)

    return merge(list(text), lookup)
