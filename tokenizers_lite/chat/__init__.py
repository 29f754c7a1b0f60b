"""Chat templates: messages -> text, equal to transformers 4.57's `apply_chat_template(tokenize=False)`.

Templates are Jinja source from downloaded files and are not trusted: they run
in Jinja's immutable sandbox and within `Limits`. jinja2 is imported by the
first rendering, not before.
"""

from __future__ import annotations

from tokenizers_lite.chat.bounds import Limits
from tokenizers_lite.chat.rendering import choose, render, render_safe
from tokenizers_lite.chat.with_tokenizer import apply

__all__ = ["Limits", "apply", "choose", "render", "render_safe"]
