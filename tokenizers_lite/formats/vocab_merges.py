"""vocab.json and merges.txt -> Spec.

The two files hold a byte-level BPE vocabulary and nothing else. What is done to
the text before follows from tokenizer_config.json beside them: its
``pretokenize_regex`` where there is one, else the pipeline that transformers
4.57 converts its ``tokenizer_class`` to (convert_slow_tokenizer.py).
"""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _config_files, _families, _models, _transformers, config, hf_json
from tokenizers_lite.formats._serde import Mismatch, boolean
from tokenizers_lite.spec import Source, post_processors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.spec import Spec
    from tokenizers_lite.spec.normalizers import Normalizer
    from tokenizers_lite.spec.pre_tokenizers import PreTokenizer

_GPT2 = ("GPT2Tokenizer", "CodeGenTokenizer")
_ROBERTA = ("RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer", "MvpTokenizer")
_QWEN = ("Qwen2Tokenizer",)


def read(path: str, *, pre_tokenizer: PreTokenizer | None = None, normalizer: Normalizer | None = None) -> Spec:
    """Read vocab.json and the merges.txt beside it.

    Args:
        path: the folder, vocab.json or merges.txt.
        pre_tokenizer: how text is split; needed where tokenizer_config.json
            does not declare a class whose pipeline is known.
        normalizer: what is done to text first; counts only with `pre_tokenizer`.

    Raises:
        SpecError: a file is broken, or nothing says how text is split.
        OSError: a file cannot be read.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    files = _config_files.Files(folder)
    vocab_path, merges_path = files.path("vocab.json"), files.path("merges.txt")
    try:
        vocab = _models.parse_vocab(files.read("vocab.json", missing_ok=False), "")
    except Mismatch as err:
        raise SpecError(err.message, file=vocab_path, field=err.at, value=err.value) from None
    merges = _merges(files.text("merges.txt", missing_ok=False) or "", vocab, merges_path)
    source = Source("vocab+merges", tuple(files.used))
    if pre_tokenizer is not None:
        spec = _families.byte_level(vocab, merges, _families.Family(pre_tokenizer, normalizer))
        return config.apply(spec.replace(source=source), folder)
    settings = _config_files.Files(folder).read("tokenizer_config.json")
    family = _family(settings, files.path("tokenizer_config.json"))
    spec = _families.byte_level(vocab, merges, family).replace(source=source)
    return _post_process(config.apply(spec, folder), settings)


def _merges(text: str, vocab: dict[str, int], path: str) -> list[tuple[str, str]]:
    """Parse merges.txt: a version line, then a merge a line."""
    lines = ((line.rstrip("\r"), f"line {i}") for i, line in enumerate(text.split("\n"), 1))
    try:
        merges = _models.split_merges((line, at) for line, at in lines if line)
        _models.check_merges(vocab, merges, None, "merge")
    except Mismatch as err:
        raise SpecError(err.message, file=path, field=err.at, value=err.value) from None
    return merges


def _family(settings: dict[str, Any], path: str) -> _families.Family:
    """Choose the pipeline the configuration declares."""
    declared = settings.get("tokenizer_class")
    name = _transformers.base_name(declared) if isinstance(declared, str) else ""
    prefix = _flag(settings, "add_prefix_space", path)
    pattern = settings.get("pretokenize_regex")
    if name in _QWEN and not prefix:
        return _families.qwen2(pattern) if isinstance(pattern, str) else _families.qwen2()
    if name in _GPT2 + _ROBERTA and pattern is None:
        return _families.gpt2(prefix)
    raise SpecError(
        "vocab.json and merges.txt do not say how text is split, and no pipeline is known for this tokenizer_class; "
        "pass pre_tokenizer=, or use the model's tokenizer.json",
        file=path,
        field="tokenizer_class",
        value=declared,
    )


def _flag(settings: dict[str, Any], key: str, path: str) -> bool:
    try:
        return boolean(settings.get(key) or False, key)
    except Mismatch as err:
        raise SpecError(err.message, file=path, field=key, value=err.value) from None


def _post_process(spec: Spec, settings: dict[str, Any]) -> Spec:
    """Add the special tokens that the class's converter adds, their ids now being known."""
    name = _transformers.base_name(spec.config.tokenizer_class)
    ids = {**hf_json.token_ids(spec.model), **{token.content: token.id for token in spec.added_tokens}}
    if name in _ROBERTA:
        sep, cls = spec.config.sep_token or "", spec.config.cls_token or ""
        prefix = bool(settings.get("add_prefix_space"))
        processor = post_processors.RobertaProcessing((sep, ids[sep]), (cls, ids[cls]), True, prefix)
        return spec.replace(post_processor=processor)
    bos = spec.config.bos_token
    if name in _GPT2 and settings.get("add_bos_token") and bos is not None:
        first = post_processors.TemplatePiece(bos, True, 0)
        text = post_processors.TemplatePiece("A", False, 0)
        second = post_processors.TemplatePiece("B", False, 1)
        special = ((bos, (ids[bos],), (bos,)),)
        return spec.replace(
            post_processor=post_processors.TemplateProcessing((first, text), (first, text, second), special)
        )
    return spec
