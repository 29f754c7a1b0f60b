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
from tokenizers_lite.formats.hf_json import assign_ids, token_ids
from tokenizers_lite.spec import AddedToken, Config, SourceFile
from tokenizers_lite.spec import post_processors as pp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.spec import Spec

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def apply(spec: Spec, folder: str) -> Spec:
    """Add to a spec what the configuration files of its folder say.

    Raises:
        SpecError: a file is broken, or a value has the wrong type.
        OSError: a file cannot be read.
    """
    files = Files(folder)
    settings = files.read("tokenizer_config.json")
    model_config = files.read("config.json")
    name = files.value("tokenizer_config.json", settings, "tokenizer_class", str, None)
    name = name or files.value("config.json", model_config, "tokenizer_class", str, None) or ""
    tokens = _SpecialTokens(files, settings, name)
    declared = _declared(files, settings, tokens)
    added = assign_ids(_missing(spec.added_tokens, declared, tokens), spec.added_tokens, spec.model)
    spec = spec.replace(added_tokens=added)
    ids = {**token_ids(spec.model), **{token.content: token.id for token in added}}
    processor, add_bos, add_eos = _post_processor(spec.post_processor, name, settings, tokens.single, ids)
    limit = settings.get("model_max_length")
    config = Config(
        **tokens.single,
        additional_special_tokens=tuple(token.content for token in tokens.additional),
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


class Files:
    """The readable files of a folder; remembers which ones counted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.used: list[SourceFile] = []

    def path(self, name: str) -> str:
        """Give the path of a file in the folder."""
        return os.path.join(self.folder, name)

    def text(self, name: str) -> str | None:
        """Read a text file; None if it is not there."""
        import hashlib

        try:
            with open(self.path(name), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        self.used.append(SourceFile(name, len(data), hashlib.sha256(data).hexdigest()))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as err:
            raise SpecError("not UTF-8", file=self.path(name), field=f"offset {err.start:#x}") from None

    def read(self, name: str) -> dict[str, Any]:
        """Read a JSON object; an empty one if the file is not there."""
        import json

        text = self.text(name)
        if text is None:
            return {}
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise SpecError(f"not JSON: {err}", file=self.path(name)) from None
        if not isinstance(value, dict):
            raise SpecError("expected a JSON object", file=self.path(name), value=value)
        return value

    def value(self, name: str, values: dict[str, Any], key: str, kind: type, default: Any) -> Any:
        """Give a value of a file's object, checking its type; null is None."""
        value = values.get(key, default)
        if value is None or isinstance(value, kind):
            return value
        raise SpecError(f"expected {kind.__name__} or null", file=self.path(name), field=key, value=value)

    def token(self, name: str, value: Any, at: str, special: bool | None = None) -> AddedToken:
        """Make an added token of its text or of an object with flags; its id is not known yet.

        A flag that is not there is false, except that only special tokens are
        not normalized (tokenizers' AddedToken). `special` overrules the object's.
        """
        flags = {"content": value} if isinstance(value, str) else value
        if not isinstance(flags, dict) or not isinstance(flags.get("content"), str):
            message = "expected a token's text, or an object with its content"
            raise SpecError(message, file=self.path(name), field=at, value=value)
        for flag in FLAGS:
            if not isinstance(flags.get(flag, False), bool):
                raise SpecError("expected true or false", file=self.path(name), field=f"{at}.{flag}", value=flags[flag])
        is_special = flags.get("special", False) if special is None else special
        return AddedToken(
            -1,
            flags["content"],
            flags.get("single_word", False),
            flags.get("lstrip", False),
            flags.get("rstrip", False),
            flags.get("normalized", not is_special),
            is_special,
        )


class _SpecialTokens:
    """The special tokens that the files and the class name: `bos_token` and so on, additional, extra."""

    def __init__(self, files: Files, settings: dict[str, Any], tokenizer_class: str) -> None:
        where = "tokenizer_config.json"
        values = dict(settings)
        if "added_tokens_decoder" not in settings:  # else transformers does not look at the older file
            mapped = files.read("special_tokens_map.json")
            if mapped:
                where = "special_tokens_map.json"
            additional = [*(values.get("additional_special_tokens") or []), *_list(files, where, mapped)]
            values.update(mapped)
            if "additional_special_tokens" in mapped:
                values["additional_special_tokens"] = additional
        defaults = _transformers.DEFAULT_TOKENS.get(_transformers.base_name(tokenizer_class), (None,) * 7)
        self.single: dict[str, str | None] = {}
        self.found: list[AddedToken] = []
        for key, default in zip(_transformers.TOKEN_NAMES, defaults, strict=True):
            value = values.get(key, default)
            token = files.token(where, value, key, special=True) if value is not None else None
            self.single[key] = token.content if token else None
            self.found += [token] if token and token.content else []
        listed = _list(files, where, values)
        self.additional = _unique(
            files.token(where, v, f"additional_special_tokens[{i}]", special=True) for i, v in enumerate(listed)
        )
        extra = values.get("extra_special_tokens")
        named = extra.items() if isinstance(extra, dict) else enumerate(extra) if isinstance(extra, list) else ()
        self.found += self.additional
        self.found += [files.token(where, v, f"extra_special_tokens.{k}", special=True) for k, v in named]
        self.found = _unique(self.found)
        self.contents = {token.content for token in self.found}


def _list(files: Files, name: str, values: dict[str, Any]) -> list[Any]:
    """Give additional_special_tokens, which may be missing or null."""
    return files.value(name, values, "additional_special_tokens", list, None) or []


def _unique(tokens: Any) -> list[AddedToken]:
    """Drop tokens whose text was there before."""
    return list({token.content: token for token in reversed(list(tokens))}.values())[::-1]


def _declared(files: Files, settings: dict[str, Any], tokens: _SpecialTokens) -> list[AddedToken]:
    """Give the added tokens of the configuration files, in the order of their ids there."""
    by_id: dict[int, AddedToken] = {}
    decoder = files.value("tokenizer_config.json", settings, "added_tokens_decoder", dict, None)
    if decoder is not None:
        for key, value in decoder.items():
            at = f"added_tokens_decoder.{key}"
            if not key.isdecimal() or not isinstance(value, dict):
                path = files.path("tokenizer_config.json")
                raise SpecError(
                    "expected an id and an object with the token's content", file=path, field=at, value=value
                )
            by_id[int(key)] = files.token("tokenizer_config.json", value, at)
    else:
        for text, value in files.read("added_tokens.json").items():
            if type(value) is not int or value < 0:
                path = files.path("added_tokens.json")
                raise SpecError("expected the token's id", file=path, field=repr(text), value=value)
            special = text in tokens.contents
            by_id[value] = AddedToken(-1, text, normalized=not special, special=special)
    return [by_id[i] for i in sorted(by_id)]


def _missing(present: tuple[AddedToken, ...], declared: list[AddedToken], tokens: _SpecialTokens) -> list[AddedToken]:
    """Give the tokens transformers adds: declared ones the file lacks or has with other flags, then special ones.

    Without added_tokens_decoder in tokenizer_config.json, what tokenizer.json
    says of a token wins; `_declared` then holds only the texts of added_tokens.json.
    """
    known = {(t.content, *(getattr(t, flag) for flag in FLAGS)) for t in present}
    to_add = [t for t in declared if (t.content, *(getattr(t, flag) for flag in FLAGS)) not in known]
    texts = {token.content for token in present} | {token.content for token in to_add}
    to_add += [token for token in tokens.found if token.content not in texts]
    return [t.replace(special=True) if t.content in tokens.contents and not t.special else t for t in to_add]


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
    return _template(bos, eos, ids), False, False


def _added(processor: pp.PostProcessor | None) -> list[str]:
    """Give the tokens a post-processor puts around a single text."""
    if isinstance(processor, pp.Sequence):
        return [text for inner in processor.processors for text in _added(inner)]
    if isinstance(processor, (pp.BertProcessing, pp.RobertaProcessing)):
        return [processor.cls[0], processor.sep[0]]
    if isinstance(processor, pp.TemplateProcessing):
        return [piece.id for piece in processor.single if piece.special]
    return []


def _template(bos: str | None, eos: str | None, ids: dict[str, int]) -> pp.TemplateProcessing:
    """Build the template of LlamaTokenizerFast.update_post_processor."""

    def around(sequence: str, type_id: int) -> tuple[pp.TemplatePiece, ...]:
        before = (pp.TemplatePiece(bos, True, type_id),) if bos is not None else ()
        after = (pp.TemplatePiece(eos, True, type_id),) if eos is not None else ()
        return (*before, pp.TemplatePiece(sequence, False, type_id), *after)

    single = around("A", 0)
    special = tuple((text, (ids[text],), (text,)) for text in dict.fromkeys((bos, eos)) if text is not None)
    return pp.TemplateProcessing(single, single + around("B", 1), special)


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
