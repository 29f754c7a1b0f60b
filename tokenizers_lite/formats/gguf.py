"""The tokenizer in a GGUF header -> Spec.

Only the key-value section is read, through a memory map, so a model of many
gigabytes costs no more than its header. What a header cannot say (normalizer,
pattern) follows from `tokenizer.ggml.pre`, for the names whose tokenizer.json
is known; any other name is refused.
"""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _families
from tokenizers_lite.formats._gguf_values import Reader
from tokenizers_lite.formats._models import check_merges
from tokenizers_lite.formats._serde import Mismatch
from tokenizers_lite.formats.sentencepiece import _check as check_pieces
from tokenizers_lite.spec import AddedToken, Config, Source, SourceFile, Spec, decoders, models, normalizers
from tokenizers_lite.spec import post_processors as pp
from tokenizers_lite.spec import pre_tokenizers as pt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)

# Names in llama.cpp (llama-vocab.cpp) whose models' tokenizer.json is known to be this.
_PRE: dict[str, Callable[[], _families.Family]] = {
    **dict.fromkeys(("gpt-2", "phi-2"), _families.gpt2),
    **dict.fromkeys(("smollm", "starcoder", "refact"), _families.digits),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "megrez"), _families.qwen2),
    "qwen35": lambda: _families.qwen2(_families.QWEN35),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3"), lambda: _families.tiktoken(_families.LLAMA3)),
    **dict.fromkeys(("gpt-4o", "llama4"), lambda: _families.tiktoken(_families.O200K)),
    "tekken": lambda: _families.tiktoken(_families.TEKKEN),
    **dict.fromkeys(
        ("deepseek-v3", "hunyuan-dense"), lambda: _families.Family(_families.split(*_families.DEEPSEEK_V3))
    ),
}
_BOS_BY_DEFAULT = frozenset(("llama-bpe", "llama3", "llama-v3", "tekken"))


def read(path: str) -> Spec:
    """Read the tokenizer of a GGUF file.

    Raises:
        SpecError: the header is broken, holds no tokenizer, or one whose
            pipeline is not known.
        OSError: the file cannot be read.
    """
    import hashlib
    import mmap

    size = os.path.getsize(path)
    with open(path, "rb") as file:
        try:
            data: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            data = b""
        try:
            reader = Reader(data, path)
            values = reader.read()
            digest = hashlib.sha256(data[: reader.at]).hexdigest()
        finally:
            if data:
                data.close()
    note = f"sha256 is that of the header's first {reader.at} bytes"
    return parse(values, path).replace(
        source=Source("gguf", (SourceFile(os.path.basename(path), size, digest),), note=note)
    )


def parse(values: dict[str, Any], name: str = "GGUF") -> Spec:
    """Make the spec of a header's ``tokenizer.*`` values."""
    header = _Header(values, name)
    kind = header.get("model", str)
    make = _MODELS.get(kind)
    if make is None:
        raise header.error("model", f"no such tokenizer is known; known are {', '.join(_MODELS)}")
    return make(header)


class _Header:
    """The values of a header, with their types checked."""

    def __init__(self, values: dict[str, Any], name: str) -> None:
        self.values = values
        self.name = name
        tokens = self.get("tokens", list)
        types = self.get("token_type", list, [NORMAL] * len(tokens))
        if len(types) != len(tokens) or any(type(kind) is not int for kind in types):
            raise self.error("token_type", f"expected {len(tokens)} integers")
        if any(type(token) is not str for token in tokens):
            raise self.error("tokens", "expected strings")
        self.tokens: list[str] = tokens
        self.types: list[int] = types

    def get(self, key: str, kind: type, default: Any = ...) -> Any:
        """Give the value of ``tokenizer.ggml.<key>``, which must be of a kind."""
        value = self.values.get(f"tokenizer.ggml.{key}", default)
        if value is ... or (value is not None and type(value) is not kind):
            raise self.error(key, "it is missing" if value is ... else f"expected {kind.__name__}")
        return value

    def error(self, key: str, message: str) -> SpecError:
        """Make the error for a key."""
        value = self.values.get(f"tokenizer.ggml.{key}", "nothing")
        return SpecError(message, file=self.name, field=f"tokenizer.ggml.{key}", value=value)

    def token(self, key: str) -> str | None:
        """Give the text of the token that ``<key>_token_id`` names; None if it names none.

        llama.cpp writes 2^32 - 1 where a model has no such token.
        """
        i = self.get(f"{key}_token_id", int, None)
        if i is None or i == 0xFFFFFFFF:
            return None
        if not 0 <= i < len(self.tokens):
            raise self.error(f"{key}_token_id", f"expected an id below {len(self.tokens)}")
        token: str = self.tokens[i]
        return token

    def added_tokens(self) -> tuple[AddedToken, ...]:
        """Give the control and user-defined tokens; these are found in text before all else."""
        return tuple(
            AddedToken(i, token, normalized=False, special=kind == CONTROL)
            for i, (token, kind) in enumerate(zip(self.tokens, self.types, strict=True))
            if kind in (CONTROL, USER_DEFINED) and token
        )

    def config(self, add_bos: bool, add_eos: bool) -> Config:
        """Give the special tokens, the chat templates, and which tokens are added."""
        bos, eos = self.token("bos"), self.token("eos")
        stops = [self.get(f"{key}_token_id", int, None) for key in ("eos", "eot", "eom")]
        limit = len(self.tokens)
        return Config(
            bos_token=bos,
            eos_token=eos,
            unk_token=self.token("unknown"),
            sep_token=self.token("seperator"),  # sic, in GGUF's key names
            pad_token=self.token("padding"),
            cls_token=self.token("cls"),
            mask_token=self.token("mask"),
            add_bos=bool(self.get("add_bos_token", bool, add_bos)) and bos is not None,
            add_eos=bool(self.get("add_eos_token", bool, add_eos)) and eos is not None,
            stop_ids=tuple(dict.fromkeys(i for i in stops if i is not None and 0 <= i < limit)),
            chat_templates=self._chat_templates(),
        )

    def _chat_templates(self) -> dict[str, str]:
        prefix = "tokenizer.chat_template"
        keys = [key for key in self.values if key == prefix or key.startswith(prefix + ".")]
        templates = {key[len(prefix) + 1 :] or "default": self.values[key] for key in sorted(keys)}
        if not all(isinstance(text, str) for text in templates.values()):
            raise SpecError("expected a string", file=self.name, field=prefix, value=templates)
        return templates


def _bpe(header: _Header) -> Spec:
    """Make a byte-level BPE; ids without a text of their own (padding of the matrix) are left out."""
    pre = header.get("pre", str, "")
    if pre not in _PRE:
        raise header.error(
            "pre", f"how this model splits text is not known; known are {', '.join(_PRE)}; use its tokenizer.json"
        )
    vocab = {}
    for i, (token, kind) in enumerate(zip(header.tokens, header.types, strict=True)):
        if kind == UNUSED:
            continue
        if token in vocab:
            raise SpecError(
                "a token is there twice", file=header.name, field=f"tokenizer.ggml.tokens[{i}]", value=token
            )
        vocab[token] = i
    merges = []
    for i, line in enumerate(header.get("merges", list)):
        cut = line.find(" ", 1) if type(line) is str else -1
        if cut < 0:
            at = f"tokenizer.ggml.merges[{i}]"
            raise SpecError("expected two tokens with a blank between them", file=header.name, field=at, value=line)
        merges.append((line[:cut], line[cut + 1 :]))
    try:
        check_merges(vocab, merges, None, "tokenizer.ggml.merges")
    except Mismatch as err:
        raise SpecError(err.message, file=header.name, field=err.at, value=err.value) from None
    return _families.byte_level(vocab, merges, _PRE[pre]()).replace(
        added_tokens=header.added_tokens(), config=header.config(pre in _BOS_BY_DEFAULT, False)
    )


def _sentencepiece(header: _Header, model_type: str) -> Spec:
    """Make a sentencepiece model; llama.cpp keeps its pieces, scores and types as they are."""
    scores = header.get("scores", list)
    if len(scores) != len(header.tokens) or any(type(score) is not float for score in scores):
        raise header.error("scores", f"expected {len(header.tokens)} numbers")
    is_bpe = model_type == "bpe"
    charsmap = header.get("precompiled_charsmap", list, [])
    if any(type(byte) is not int for byte in charsmap):
        raise header.error("precompiled_charsmap", "expected bytes")
    model = models.SentencePiece(
        pieces=list(zip(header.tokens, scores, header.types, strict=True)),
        model_type=model_type,
        byte_fallback=BYTE in header.types,
        precompiled_charsmap=bytes(byte & 0xFF for byte in charsmap),
        add_dummy_prefix=bool(header.get("add_space_prefix", bool, True)),
        remove_extra_whitespaces=bool(header.get("remove_extra_whitespaces", bool, False)),
    )
    if any(not NORMAL <= kind <= BYTE for kind in header.types):
        raise header.error("token_type", "expected types from 1 to 6")
    check_pieces(model, header.name)
    return Spec(model=model, config=header.config(is_bpe, not is_bpe))


def _wordpiece(header: _Header) -> Spec:
    """Make a WordPiece model.

    llama.cpp writes ``##a`` as ``a`` and ``a`` as ``▁a`` (convert_hf_to_gguf.py,
    BertModel.set_vocab), except control tokens and, in older files, whatever is
    in brackets.
    """
    vocab: dict[str, int] = {}
    for i, (token, kind) in enumerate(zip(header.tokens, header.types, strict=True)):
        bracketed = kind in (CONTROL, UNKNOWN) or (token[:1] == "[" and token[-1:] == "]")
        text = token if bracketed else token[1:] if token[:1] == "▁" else "##" + token
        if text in vocab:
            at = f"tokenizer.ggml.tokens[{i}]"
            raise SpecError("a token is there twice", file=header.name, field=at, value=token)
        vocab[text] = i
    config = header.config(False, False)
    cls, sep = config.cls_token or config.bos_token, config.sep_token or config.eos_token
    if cls is None or sep is None:
        raise header.error("cls_token_id", "BERT needs a classifier and a separator token")
    for token, key in ((cls, "cls_token_id"), (sep, "seperator_token_id")):
        if token not in vocab:
            raise header.error(key, f"the token {token!r} is no control token, so it can only stand inside of a word")
    first = pp.TemplatePiece(cls, True, 0)
    single = (first, pp.TemplatePiece("A", False, 0), pp.TemplatePiece(sep, True, 0))
    pair = (*single, pp.TemplatePiece("B", False, 1), pp.TemplatePiece(sep, True, 1))
    special = tuple((text, (vocab[text],), (text,)) for text in dict.fromkeys((cls, sep)))
    lower = bool(header.get("normalizer.lowercase", bool, True))
    return Spec(
        model=models.WordPiece(vocab, config.unk_token or "[UNK]"),
        added_tokens=header.added_tokens(),
        normalizer=normalizers.BertNormalizer(True, True, None, lower),
        pre_tokenizer=pt.BertPreTokenizer(),
        post_processor=pp.TemplateProcessing(single, pair, special),
        decoder=decoders.WordPiece(),
        config=config.replace(cls_token=cls, sep_token=sep, add_bos=False, add_eos=False),
    )


_MODELS: dict[str, Callable[[_Header], Spec]] = {
    "gpt2": _bpe,
    "llama": lambda header: _sentencepiece(header, "bpe"),
    "t5": lambda header: _sentencepiece(header, "unigram"),
    "bert": _wordpiece,
}
