"""BOS and EOS that a model's configuration asks for: spec -> the post-processor that adds them."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec.post_processors import TemplatePiece, TemplateProcessing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers_lite.spec import Spec
    from tokenizers_lite.spec.post_processors import PostProcessor


def effective_post_processor(spec: Spec, id_of: Callable[[str | None], int | None]) -> PostProcessor | None:
    """Return the post-processor with the BOS and EOS that transformers 4 adds by configuration.

    transformers 4 (`LlamaTokenizerFast.update_post_processor`) replaces the
    post-processor by a template made of `add_bos_token` and `add_eos_token`.

    Raises:
        SpecError: a token that is to be added has no id.
    """
    bos = spec.config.bos_token if spec.config.add_bos else None
    eos = spec.config.eos_token if spec.config.add_eos else None
    if bos is None and eos is None:
        return spec.post_processor
    tokens = []
    for token in (bos, eos):
        if token is None:
            continue
        id_ = id_of(token)
        if id_ is None:
            raise SpecError("this token is to be added to every text but has no id", field="config", value=token)
        tokens.append((token, (id_,), (token,)))
    first, second = _around("A", 0, bos, eos), _around("B", 1, bos, eos)
    return TemplateProcessing(first, first + second, tuple(dict.fromkeys(tokens)))


def _around(name: str, type_id: int, bos: str | None, eos: str | None) -> tuple[TemplatePiece, ...]:
    """Return the template of one text."""
    pieces = [TemplatePiece(name, special=False, type_id=type_id)]
    if bos is not None:
        pieces.insert(0, TemplatePiece(bos, special=True, type_id=type_id))
    if eos is not None:
        pieces.append(TemplatePiece(eos, special=True, type_id=type_id))
    return tuple(pieces)
