"""Imports go one way, and importing is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "tokenizers_lite"
# Who may import whom inside the package, by the first part of the module's name.
LAYERS = [
    {"errors", "_record", "__init__"},
    {"spec"},
    {
        "_unicode",
        "_unicode_data",
        "_msgpack",
        "_paths",
        "progress",
        "byte_alphabet",
        "vocab",
        "normalized",
        "_terminal",
    },
    {"_onig_nodes", "_onig_fold", "_onig_class", "_onig_parser", "_onig_render"},
    {"patterns"},
    {
        "normalizers",
        "pre_tokenizers",
        "models",
        "decoders",
        "encoding",
        "post_processors",
        "added",
        "_automaton",
        "_automaton_build",
    },
    {"bulk", "stream", "pipeline", "formats", "registry_data"},
    {"registry", "hub", "packages", "recipes", "_cache", "_download"},
    {
        "tokenizer",
        "components",
        "_bos_eos",
        "_boundaries",
        "_batch",
        "_marked",
        "_alignment",
        "_decoding",
        "_vocabulary",
        "seams",
        "files",
        "workers",
    },
    {"chat"},
    {"cli", "cli_text", "cli_models", "cli_view", "view", "peers", "bench", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Functions that hand over to a higher layer on purpose.
HANDOVERS = {
    ("tokenizer", "chat"),  # Tokenizer.apply_chat_template
    ("__init__", "tokenizer"),  # load
    ("__init__", "formats"),
    ("__init__", "registry"),
    ("decoders", "patterns"),
}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def type_checking_only(tree):
    """Return the imports that only a type checker sees."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return {id(node) for block in blocks for node in ast.walk(block)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    hidden = type_checking_only(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in hidden or not node.module:
            continue
        if node.module.split(".")[0] in ("vocab_converters", "runtime"):
            assert own in ("tokenizer", "cli", "peers", "__init__"), f"{own} imports {node.module}"
        if not node.module.startswith("tokenizers_lite"):
            continue
        parts = node.module.split(".")
        names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        for name in names:
            other = name if name in LEVEL else "__init__"
            assert LEVEL[other] <= LEVEL[own] or (own, other) in HANDOVERS, f"{own} imports {other}"


def test_runtime_uses_public_names_only():
    for path in (PACKAGE.parent / "runtime").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tokenizers_lite"):
                names = [*node.module.split(".")[1:], *(alias.name for alias in node.names)]
                assert not [name for name in names if name.startswith("_") and name != "__version__"], (
                    f"{path.name}: {node.module}"
                )


def test_a_first_encode_imports_little():
    code = (
        "import sys, tokenizers_lite; before = set(sys.modules);"
        "assert tokenizers_lite.load('qwen3').encode('Hello, world!') == [9707, 11, 1879, 0];"
        "heavy = {'numpy', 'regex', 'jinja2', 'json', 'dataclasses', 'typing', 're', 'pathlib', 'inspect'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_public_names():
    import tokenizers_lite

    assert sorted(tokenizers_lite.__all__) == tokenizers_lite.__all__
    for name in tokenizers_lite.__all__:
        assert getattr(tokenizers_lite, name).__module__.startswith("tokenizers_lite")
    with pytest.raises(AttributeError, match="no attribute"):
        tokenizers_lite.nothing  # noqa: B018
