"""The special and added tokens that configuration files declare, as transformers 4.57 collects them."""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _transformers
from tokenizers_lite.formats._config_files import FLAGS
from tokenizers_lite.spec import AddedToken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.formats._config_files import Files


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


class SpecialTokens:
    """The special tokens that the files and the class name: `bos_token` and so on, additional, extra.

    `found` holds each text once, with its flags where there are any: a file's,
    or in their place those of the declared added token with that text.
    """

    def __init__(self, files: Files, values: Values, declared: Declared, tokenizer_class: str) -> None:
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


class Values:
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


class Declared:
    """The added tokens that files declare with flags, in the order of their ids there.

    These are added_tokens_decoder of tokenizer_config.json, or where that is
    missing those of added_tokens.json and, on top, of the vocabulary itself.
    `by_text` are the ones whose flags a special token of the same text takes on.
    """

    def __init__(self, files: Files, values: Values, present: tuple[AddedToken, ...]) -> None:
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


def tokens_to_add(
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
