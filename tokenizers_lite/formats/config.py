"""The files beside a vocabulary -> its Config, further added tokens, BOS and EOS.

Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json,
chat_template.jinja, additional_chat_templates/*.jinja, chat_template.json,
generation_config.json and config.json of a folder, and applies them to a spec
as transformers 4.57 does when it makes a fast tokenizer of that folder
(tokenization_utils_base.py, `_from_pretrained`; tokenization_utils_fast.py,
`__init__`).
"""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _transformers
from tokenizers_lite.formats._config_files import Files
from tokenizers_lite.formats._config_tokens import Declared, SpecialTokens, Values, tokens_to_add
from tokenizers_lite.formats.hf_json import assign_ids, token_ids
from tokenizers_lite.spec import Config
from tokenizers_lite.spec import post_processors as pp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.spec import Spec


def apply(spec: Spec, folder: str, *, default_class: str = "") -> Spec:
    """Add to a spec what the configuration files of its folder say.

    `default_class` is the tokenizer_class where no file declares one.

    Raises:
        SpecError: a file is broken, or a value has the wrong type.
        OSError: a file cannot be read.
    """
    files = Files(folder)
    settings = files.read("tokenizer_config.json")
    model_config = files.read("config.json")
    name = files.value("tokenizer_config.json", settings, "tokenizer_class", str, None)
    name = name or files.value("config.json", model_config, "tokenizer_class", str, None)
    name = name or default_class
    values = Values(files, settings)
    declared = Declared(files, values, spec.added_tokens)
    tokens = SpecialTokens(files, values, declared, name)
    to_add = tokens_to_add(spec.added_tokens, declared.tokens, tokens.found)
    added = assign_ids(to_add, spec.added_tokens, spec.model)
    spec = spec.replace(added_tokens=added)
    ids = {**token_ids(spec.model), **{token.content: token.id for token in added}}
    processor, add_bos, add_eos = _post_processor(spec.post_processor, name, settings, tokens.single, ids)
    limit: Any = settings.get("model_max_length")
    config = Config(
        **tokens.single,
        additional_special_tokens=tokens.additional,
        add_bos=add_bos,
        add_eos=add_eos,
        stop_ids=_stop_ids(files, model_config, ids.get(tokens.single["eos_token"] or "")),
        chat_templates=_chat_templates(files, settings),
        clean_up_tokenization_spaces=files.value(
            "tokenizer_config.json", settings, "clean_up_tokenization_spaces", bool, False
        )
        or False,
        model_max_length=int(limit) if type(limit) in (int, float) and 0 < limit < 1e18 else None,
        tokenizer_class=name,
    )
    source = spec.source.replace(files=spec.source.files + tuple(files.used))
    return spec.replace(post_processor=processor, config=config, source=source)


def _post_processor(
    processor: pp.PostProcessor | None,
    tokenizer_class: str,
    settings: dict[str, Any],
    special: dict[str, str | None],
    ids: dict[str, int],
) -> tuple[pp.PostProcessor | None, bool, bool]:
    """Give the post-processor, and whether BOS and EOS are to be added besides.

    Llama's, Gemma's and a few other classes replace the file's post-processor by
    one that adds BOS and EOS as add_bos_token and add_eos_token say. Where the
    file's adds the same tokens it stays; where it adds none they are added
    besides; where it adds others (say, a BOS though add_bos_token is false) it
    is replaced, as transformers 4 does.
    """
    name = _transformers.base_name(tokenizer_class)
    if name not in _transformers.REBUILT:
        return processor, False, False
    wanted = []
    for key, token, default in zip(
        ("add_bos_token", "add_eos_token"), ("bos_token", "eos_token"), _transformers.REBUILT[name], strict=True
    ):
        wants = settings.get(key, default)
        text = special[token]
        if wants and (text is None or text not in ids):
            raise SpecError(
                f"{key} is true but there is no {token}", file="tokenizer_config.json", field=key, value=text
            )
        wanted.append(text if wants else None)
    bos, eos = wanted
    added = _added(processor)
    if added == [text for text in wanted if text is not None]:
        return processor, False, False
    if not added:
        return processor, bos is not None, eos is not None
    return _transformers.bos_eos_template(bos, eos, ids), False, False


def _added(processor: pp.PostProcessor | None) -> list[str]:
    """Give the tokens a post-processor puts around a single text."""
    if isinstance(processor, pp.Sequence):
        return [text for inner in processor.processors for text in _added(inner)]
    if isinstance(processor, (pp.BertProcessing, pp.RobertaProcessing)):
        return [processor.cls[0], processor.sep[0]]
    if isinstance(processor, pp.TemplateProcessing):
        return [piece.id for piece in processor.single if piece.special]
    return []


def _stop_ids(files: Files, model_config: dict[str, Any], eos_id: int | None) -> tuple[int, ...]:
    """Give the ids generation ends at: generation_config.json's, else config.json's and the EOS token's."""
    generation = files.read("generation_config.json")
    if generation.get("eos_token_id") is not None:
        return _ids(files.path("generation_config.json"), generation["eos_token_id"])
    inner = model_config.get("text_config")
    value = model_config.get("eos_token_id", inner.get("eos_token_id") if isinstance(inner, dict) else None)
    ids = _ids(files.path("config.json"), value) if value is not None else ()
    return tuple(dict.fromkeys((*ids, *(() if eos_id is None else (eos_id,)))))


def _ids(path: str, value: Any) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if any(type(i) is not int or i < 0 for i in values):
        raise SpecError("expected an id or an array of ids", file=path, field="eos_token_id", value=value)
    return tuple(dict.fromkeys(values))


def _chat_templates(files: Files, settings: dict[str, Any]) -> dict[str, str]:
    """Give the chat templates by name, the default one first; files win over tokenizer_config.json."""
    templates = {}
    text = files.text("chat_template.jinja")
    if text is not None:
        templates["default"] = text
    extra = files.path("additional_chat_templates")
    for name in sorted(os.listdir(extra)) if os.path.isdir(extra) else ():
        if name.endswith(".jinja"):
            templates[name.removesuffix(".jinja")] = files.text(os.path.join("additional_chat_templates", name)) or ""
    where = "tokenizer_config.json"
    if not templates:
        templates = _named(files.path(where), settings.get("chat_template"))
    if not templates:  # processors keep theirs here
        where = "chat_template.json"
        templates = _named(files.path(where), files.read(where).get("chat_template"))
    return {name: templates[name] for name in sorted(templates, key=lambda name: name != "default")}


def _named(path: str, value: Any) -> dict[str, str]:
    """Read a template, an object of named ones, or an array of objects with name and template."""
    if isinstance(value, list) and all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in value):
        value = {item["name"]: item.get("template") for item in value}
    if isinstance(value, str):
        value = {"default": value}
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise SpecError("expected a template or named templates", file=path, field="chat_template", value=value)
    return value
