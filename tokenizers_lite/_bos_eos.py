"""BOS and EOS that a model's configuration asks for: spec -> the post-processor that adds them."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats._transformers import bos_eos_template

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
    ids = {}
    for token in (bos, eos):
        if token is None:
            continue
        id_ = id_of(token)
        if id_ is None:
            raise SpecError("this token is to be added to every text but has no id", field="config", value=token)
        ids[token] = id_
    return bos_eos_template(bos, eos, ids)
