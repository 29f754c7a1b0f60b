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
    values = _Values(files, settings)
    declared = _Declared(files, values, spec.added_tokens)
    tokens = _SpecialTokens(files, values, declared, name)
    to_add = _to_add(spec.added_tokens, declared.tokens, tokens.found)
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


class Files:
    """The readable files of a folder; remembers which ones counted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.used: list[SourceFile] = []

    def path(self, name: str) -> str:
        """Give the path of a file in the folder."""
        return os.path.join(self.folder, name)

    def text(self, name: str, *, missing_ok: bool = True) -> str | None:
        """Read a text file; None if it is not there and need not be."""
        import hashlib

        try:
            with open(self.path(name), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            if missing_ok:
                return None
            raise
        self.used.append(SourceFile(name, len(data), hashlib.sha256(data).hexdigest()))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as err:
            raise SpecError("not UTF-8", file=self.path(name), field=f"offset {err.start:#x}") from None

    def read(self, name: str, *, missing_ok: bool = True) -> dict[str, Any]:
        """Read a JSON object; an empty one if the file is not there and need not be."""
        import json

        text = self.text(name, missing_ok=missing_ok)
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

    def token(self, name: str, value: Any, at: str) -> dict[str, Any]:
        """Check a token given as an object with content and flags; gives the object.

        Raises:
            SpecError: no content, or a flag that is neither true nor false.
        """
        if not isinstance(value, dict) or not isinstance(value.get("content"), str):
            message = "expected a token's text, or an object with its content"
            raise SpecError(message, file=self.path(name), field=at, value=value)
        for flag in FLAGS:
            if not isinstance(value.get(flag, False), bool):
                path = self.path(name)
                raise SpecError("expected true or false", file=path, field=f"{at}.{flag}", value=value[flag])
        return value


def _token(flags: dict[str, Any], special: bool | None = None) -> AddedToken:
    """Make an added token of an object with flags; its id is not known yet.

    A flag that is not there is false, except that only special tokens are not
    normalized (tokenizers' AddedToken). `special` overrules the object's.
    """
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


_ADDITIONAL = "additional_special_tokens"


class _SpecialTokens:
    """The special tokens that the files and the class name: `bos_token` and so on, additional, extra.

    `found` holds each text once, with its flags where there are any: a file's,
    or in their place those of the declared added token with that text.
    """

    def __init__(self, files: Files, values: _Values, declared: _Declared, tokenizer_class: str) -> None:
        name = _transformers.base_name(tokenizer_class)
        defaults = _transformers.DEFAULT_TOKENS.get(name, (None,) * 7)
        self.found: dict[str, dict[str, Any] | None] = {}
        self.single: dict[str, str | None] = {}
        for key, default in zip(_transformers.TOKEN_NAMES, defaults, strict=True):
            value = values.values.get(key, default)
            text = value.get("content") if isinstance(value, dict) else value
            if key in values.values and isinstance(text, str):
                value = declared.by_text.get(text, value)
            if isinstance(value, str) and key in _transformers.FLAGGED.get(name, ()):
                value = {"content": value, "normalized": False, "special": True}
            self.single[key] = None if value is None else self._add(files, values.name(key), key, value)
        listed = values.additional(files)
        if name in _transformers.ADDITIONAL:
            listed += [values.values.get(key, text) for key, text in _transformers.ADDITIONAL[name].items()]
        self.additional = tuple(
            self._add(files, values.name(_ADDITIONAL), f"{_ADDITIONAL}[{i}]", value) for i, value in enumerate(listed)
        )
        extra = values.values.get("extra_special_tokens")
        named = extra.items() if isinstance(extra, dict) else enumerate(extra) if isinstance(extra, list) else ()
        for place, value in named:
            self._add(files, "tokenizer_config.json", f"extra_special_tokens.{place}", value)

    def _add(self, files: Files, name: str, at: str, value: Any) -> str:
        """Note a special token if its text is new; gives the text."""
        flags = None if isinstance(value, str) else files.token(name, value, at)
        text = value if flags is None else flags["content"]
        if text:
            self.found.setdefault(text, flags)
        return str(text)


class _Values:
    """tokenizer_config.json with special_tokens_map.json over it, if that counts."""

    def __init__(self, files: Files, settings: dict[str, Any]) -> None:
        self.values = dict(settings)
        self._mapped: set[str] = set()
        if "added_tokens_decoder" in settings:  # then transformers does not look at the older file
            return
        for key, value in files.read("special_tokens_map.json").items():
            if isinstance(value, dict):
                self.values[key] = {**value, "special": True}
            elif key == _ADDITIONAL and isinstance(value, list):
                tokens = self.additional(files)
                flagged = ({**item, "special": True} if isinstance(item, dict) else item for item in value)
                for token in flagged:
                    if token not in tokens:
                        tokens.append(token)
                self.values[key] = tokens
            else:
                self.values[key] = value
            self._mapped.add(key)

    def name(self, key: str) -> str:
        """Give the file a value is from."""
        return "special_tokens_map.json" if key in self._mapped else "tokenizer_config.json"

    def additional(self, files: Files) -> list[Any]:
        """Give the additional special tokens, a list of the caller's own."""
        return list(files.value(self.name(_ADDITIONAL), self.values, _ADDITIONAL, list, None) or ())

    def texts(self, files: Files) -> set[str]:
        """Give the texts of the special tokens in the files, but not of objects in tokenizer_config.json."""
        tokens = [(key, self.values.get(key)) for key in _transformers.TOKEN_NAMES]
        tokens += [(_ADDITIONAL, token) for token in self.additional(files)]
        return {
            str(token.get("content") if isinstance(token, dict) else token)
            for key, token in tokens
            if isinstance(token, str) or (isinstance(token, dict) and key in self._mapped)
        }


class _Declared:
    """The added tokens that files declare with flags, in the order of their ids there.

    These are added_tokens_decoder of tokenizer_config.json, or where that is
    missing those of added_tokens.json and, on top, of the vocabulary itself.
    `by_text` are the ones whose flags a special token of the same text takes on.
    """

    def __init__(self, files: Files, values: _Values, present: tuple[AddedToken, ...]) -> None:
        by_id: dict[int, dict[str, Any]] = {}
        own: list[dict[str, Any]]
        decoder = files.value("tokenizer_config.json", values.values, "added_tokens_decoder", dict, None)
        if decoder is not None:
            for key, value in decoder.items():
                at = f"added_tokens_decoder.{key}"
                if not (key.isascii() and key.isdecimal()):
                    raise SpecError("expected an id", file=files.path("tokenizer_config.json"), field=at, value=key)
                by_id[int(key)] = files.token("tokenizer_config.json", value, at)
            own = list(by_id.values())
        else:
            special = values.texts(files)
            for text, index in files.read("added_tokens.json").items():
                if type(index) is not int or index < 0:
                    path = files.path("added_tokens.json")
                    raise SpecError("expected the token's id", file=path, field=repr(text), value=index)
                by_id[index] = {"content": text, "special": text in special, "normalized": text not in special}
            own = [{"content": token.content, **{flag: getattr(token, flag) for flag in FLAGS}} for token in present]
            by_id.update(zip((token.id for token in present), own, strict=True))
        self.tokens = [by_id[i] for i in sorted(by_id)]
        self.by_text = {flags["content"]: flags for flags in own}


def _to_add(
    present: tuple[AddedToken, ...], declared: list[dict[str, Any]], special: dict[str, dict[str, Any] | None]
) -> list[AddedToken]:
    """Give the tokens transformers adds to the vocabulary: the declared ones, then further special ones.

    Adding a token that is there already gives it the new flags; a declared
    token that is also a special one becomes special. A special token without
    flags is added only if its text is new, one with flags unless the same token
    was just declared.
    """
    texts = {token.content for token in present} | {flags["content"] for flags in declared}
    same = {_token(flags) for flags in declared}
    added = [_token(flags, flags.get("special", False) or flags["content"] in special) for flags in declared]
    for text, flags in special.items():
        if flags is None and text not in texts:
            added.append(AddedToken(-1, text, normalized=False, special=True))
        elif flags is not None and _token(flags) not in same:
            added.append(_token(flags, special=True))
    return added


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
