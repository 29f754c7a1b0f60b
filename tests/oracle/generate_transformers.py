"""Write down what transformers 4.57 says about chat templates, BOS and decoding.

transformers 4.57 needs an older `tokenizers` than the one the tests are pinned
to, so it is asked here, in an environment of its own, and the tests replay its
answers:

    python -m venv /tmp/tf4
    /tmp/tf4/bin/pip install transformers==4.57.6 'tokenizers<=0.23.0' jinja2 sentencepiece
    /tmp/tf4/bin/python tests/oracle/generate_transformers.py ../shared/vocab

Two files result, both gzipped JSON with the versions that made them:

transformers_models.json.gz     per model folder: rendered conversations with
    their ids, ids of short texts with and without special tokens, and decoded
    texts. Neither vocabularies nor templates are in it, only inputs and answers.
transformers_templates.json.gz  the same for small templates of our own, one per
    feature, which need no model; and JSON schemas of functions.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from datetime import datetime
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import jinja2
import tokenizers
import transformers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

sys.path.insert(0, str(Path(__file__).parent))
from transformers_cases import CONVERSATIONS, FUNCTIONS, NOW, TEMPLATES, TEXTS

HERE = Path(__file__).parent
VERSIONS = {
    "transformers": transformers.__version__,
    "tokenizers": tokenizers.__version__,
    "jinja2": jinja2.__version__,
}


class Clock(datetime):
    """A clock that stands still, for templates that print the date."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(NOW)


def load(folder: Path):
    """Load a tokenizer, without running code from the folder."""
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except ValueError:  # minicpm3 names a class of its own repository
        return PreTrainedTokenizerFast.from_pretrained(folder)


def processor_template(folder: Path) -> str | None:
    """The template of chat_template.json, which AutoProcessor reads."""
    path = folder / "chat_template.json"
    return json.loads(path.read_text())["chat_template"] if path.exists() else None


def rendered(tokenizer, template: str | None, case: dict) -> dict:
    """Text and ids of one conversation, or the error."""
    arguments = {"chat_template": template, **case}
    messages = arguments.pop("messages")
    arguments.update(arguments.pop("variables", {}))
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, **arguments)
        return {"text": text, "ids": tokenizer.apply_chat_template(messages, **arguments)}
    except Exception as error:
        return {"error": str(error)}


def spoken(tokenizer, text: str) -> dict:
    """Ids of a text and what they decode to."""
    ids = tokenizer(text)["input_ids"]
    decoded = {
        "kept": tokenizer.decode(ids),
        "skipped": tokenizer.decode(ids, skip_special_tokens=True),
        "cleaned": tokenizer.decode(ids, clean_up_tokenization_spaces=True),
        "uncleaned": tokenizer.decode(ids, clean_up_tokenization_spaces=False),
    }
    plain = tokenizer(text, add_special_tokens=False)["input_ids"]
    # What equals the text is left out to keep the file small.
    return {"ids": ids, "plain": plain, **{key: value for key, value in decoded.items() if value != text}}


def model(folder: Path) -> dict:
    tokenizer = load(folder)
    tokens = tokenizer.special_tokens_map
    texts = [text.format(bos=tokenizer.bos_token or "", eos=tokenizer.eos_token or "") for text in TEXTS]
    backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    made = {
        "class": type(tokenizer).__name__,
        "special_tokens_map": tokens,
        "added_beyond_tokenizer_json": {
            content: id_ for content, id_ in tokenizer.get_added_vocab().items() if backend.token_to_id(content) is None
        },
        "clean_up_tokenization_spaces": tokenizer.clean_up_tokenization_spaces,
        "texts": {text: spoken(tokenizer, text) for text in texts},
        "pair": tokenizer("first", "second")["input_ids"],
    }
    if tokenizer.chat_template is not None:
        made["chats"] = {name: rendered(tokenizer, None, case) for name, case in CONVERSATIONS.items()}
    template = processor_template(folder)
    if template is not None and template != tokenizer.chat_template:
        made["processor_chats"] = {name: rendered(tokenizer, template, case) for name, case in CONVERSATIONS.items()}
    return made


def small_templates() -> list[dict]:
    """Render our own templates through transformers' own function."""
    made = []
    for case in TEMPLATES:
        arguments = {key: value for key, value in case.items() if key not in ("template", "name")}
        messages = arguments.pop("messages")
        arguments.update(arguments.pop("variables", {}))
        try:
            texts, _ = chat_template_utils.render_jinja_template(
                [messages], chat_template=case["template"], **arguments
            )
            made.append({**case, "text": texts[0]})
        except Exception as error:
            made.append({**case, "error": f"{type(error).__name__}: {error}"})
    return made


def write(name: str, value: dict) -> None:
    text = json.dumps({"versions": VERSIONS, "now": NOW, **value}, ensure_ascii=False, separators=(",", ":"))
    path = HERE / name
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path}: {path.stat().st_size} bytes")


def main() -> None:
    chat_template_utils.datetime = Clock
    schemas = {function.__name__: chat_template_utils.get_json_schema(function) for function in FUNCTIONS}
    write("transformers_templates.json.gz", {"cases": small_templates(), "schemas": schemas})
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/tokenizer.json"))
    models = {folder.name: model(folder) for folder in folders}
    write("transformers_models.json.gz", {"conversations": CONVERSATIONS, "models": models})


if __name__ == "__main__":
    main()
