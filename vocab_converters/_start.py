"""The hints of a compact file: what lets a tokenizer start without building its components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokenizers_lite.spec import models, normalizers, pre_tokenizers

if TYPE_CHECKING:
    from tokenizers_lite.spec import Spec


def start(spec: Spec) -> dict[str, Any]:
    """Return what lets a tokenizer start without building its components, as far as each is possible."""
    from tokenizers_lite import _automaton_build
    from tokenizers_lite.components import Components
    from tokenizers_lite.pipeline import ByteLevelBPE, CutBPE
    from vocab_converters import _steps

    found: dict[str, Any] = {}
    components = Components(spec)
    if components.frame is not None:
        found["frame"] = components.frame
    if spec.normalizer is None:
        found["normalizer"] = "none"
    elif type(spec.normalizer).__name__ in ("NFC", "NFD", "NFKC", "NFKD"):
        found["normalizer"] = "ascii"
    elif (steps := _rewriting(spec.normalizer)) is not None:
        found["normalizer"] = steps
    elif type(spec.normalizer).__name__ == "BertNormalizer" and spec.normalizer.clean_text:
        found["normalizer"] = "bert lower" if spec.normalizer.lowercase else "bert"
    plain = found.get("normalizer") in ("none", "bert", "bert lower")
    if plain and type(spec.pre_tokenizer).__name__ == "BertPreTokenizer":
        found["words"] = "bert"
    if spec.normalizer is not None and not _is_plain_change(spec.normalizer):
        found["changes"] = _steps.changes(spec.normalizer)
    # Where ids depend on origins, the quick ways do not apply.
    if components.engine is None and isinstance(spec.model, models.BPE) and not components.needs_origins:
        pipeline = components.pipeline
        if isinstance(pipeline, ByteLevelBPE):
            automata = _automaton_build.of_byte_level(spec.pre_tokenizer)
            if automata is not None:
                found["splits"] = [automaton._values() for automaton in automata]
        elif isinstance(pipeline, CutBPE):
            found["joined"] = pipeline.joined
    if "splits" not in found and spec.pre_tokenizer is not None and not _is_plain_cut(spec.pre_tokenizer):
        found["cuts"] = _steps.cuts(spec.pre_tokenizer)
    return {name: value for name, value in found.items() if value is not None}


def _is_plain_change(spec: normalizers.Normalizer) -> bool:
    """Tell whether every reader has this normalizer without tables in the file."""
    if isinstance(spec, normalizers.Sequence):
        return all(map(_is_plain_change, spec.normalizers))
    if isinstance(spec, normalizers.Replace):
        return bool(spec.pattern.text) and not spec.pattern.regex
    if isinstance(spec, normalizers.Prepend):
        return bool(spec.prepend)
    return isinstance(spec, (normalizers.NFC, normalizers.NFD, normalizers.BertNormalizer))


def _is_plain_cut(spec: pre_tokenizers.PreTokenizer) -> bool:
    """Tell whether every reader has this pre-tokenizer without tables in the file."""
    if isinstance(spec, pre_tokenizers.Split):
        return bool(spec.pattern.text) and not spec.pattern.regex
    return isinstance(spec, (pre_tokenizers.BertPreTokenizer, pre_tokenizers.Metaspace))


def _rewriting(normalizer: Any) -> list[list[str]] | None:
    """Return the steps of a normalizer that only puts texts before and in place of others, None for any other."""
    parts = normalizer.normalizers if type(normalizer).__name__ == "Sequence" else (normalizer,)
    steps = []
    for part in parts:
        kind = type(part).__name__
        if kind == "Prepend" and part.prepend:
            steps.append([part.prepend])
        elif kind == "Replace" and part.pattern.text and not part.pattern.regex:
            steps.append([part.pattern.text, part.content])
        else:
            return None
    return steps
