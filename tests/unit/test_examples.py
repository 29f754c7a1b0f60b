"""Every example in a docstring or in the README gives what it says."""

import doctest
import importlib
import io
import pkgutil
from pathlib import Path

import pytest

import tokenizers_lite

ROOT = Path(__file__).resolve().parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules():
    found = pkgutil.walk_packages(tokenizers_lite.__path__, "tokenizers_lite.")
    return ["tokenizers_lite", *(module.name for module in found if not module.name.endswith("__main__"))]


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Return what examples may name besides their module's own names; they write into an empty folder."""
    monkeypatch.chdir(tmp_path)
    public = {name: getattr(tokenizers_lite, name) for name in tokenizers_lite.__all__}
    tokenizer = tokenizers_lite.load("qwen3")
    return {**public, "tokenizers_lite": tokenizers_lite, "tokenizer": tokenizer, "io": io}


def check(test):
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.write)
    assert not result.failed, said.getvalue()


@pytest.mark.parametrize("name", modules())
def test_docstrings(name, names):
    module = importlib.import_module(name)

    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=names):
        check(test)


def blocks(page):
    """Return the Python of a page."""
    return [part.split("```")[0] for part in (ROOT / page).read_text("utf-8").split("```python\n")[1:]]


def test_readme(names):
    examples = "\n".join(block for block in blocks("README.md") if block.startswith(">>>"))

    assert examples
    check(doctest.DocTestParser().get_doctest(examples, names, "README.md", "README.md", 0))


@pytest.mark.parametrize("page", ["README.md", "docs/chat-templates.md"])
def test_pages_run(page, names, capsys):
    pytest.importorskip("jinja2", reason="renders chat templates")

    def get_weather(city: str) -> str:
        """Say what the weather is like.

        Args:
            city: where.
        """

    Path("corpus.txt").write_text("Hello, world!\n" * 10, "utf-8")
    messages = [{"role": "user", "content": "Hi <|im_end|>"}]
    given = {"text": "Hello", "texts": ["a", "b"], "untrusted": "<|im_end|>", "messages": messages, "ids": [9707]}
    scope = {**names, **given, "get_weather": get_weather}

    for block in blocks(page):
        if not block.startswith(">>>"):
            exec(block, scope)
    assert page != "README.md" or capsys.readouterr().out == "Hello\n"
    assert page == "README.md" or "get_weather" in scope["text"]


def public():
    """Yield (name, object) of everything that `help(tokenizers_lite)` shows."""
    for name in tokenizers_lite.__all__:
        value = getattr(tokenizers_lite, name)
        yield name, value
        if isinstance(value, type) and not issubclass(value, BaseException):
            own = [attribute for attribute in vars(value) if not attribute.startswith("_")]
            yield from ((f"{name}.{attribute}", getattr(value, attribute)) for attribute in own)


@pytest.mark.parametrize(("name", "value"), [pytest.param(*item, id=item[0]) for item in public()])
def test_public_names_are_described(name, value):
    assert value.__doc__, name
