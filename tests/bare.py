"""The core with nothing but the standard library: load, encode, decode, stream every bundled model.

    python tests/bare.py        (in an environment where only tokenizers-lite is installed)

Compares with ids that tokenizers gave (tests/oracle/bundled.json.gz) and fails if an
optional library was imported. Needs no test runner, so that it runs anywhere.
"""

import gzip
import json
import sys
from pathlib import Path

import tokenizers_lite

OPTIONAL = ("numpy", "regex", "jinja2", "tokenizers", "transformers", "sentencepiece")


def main() -> int:
    """Replay the fixture; the exit code is 1 if anything differs."""
    fixture = json.loads(gzip.decompress((Path(__file__).parent / "oracle" / "bundled.json.gz").read_bytes()))
    checks = wrong = 0
    for name, cases in fixture["models"].items():
        tokenizer = tokenizers_lite.load(name, offline=True)
        for text, ids, decoded in zip(fixture["texts"], cases["ids"], cases["decoded"], strict=True):
            stream = tokenizer.stream()
            results = (
                tokenizer.encode(text) == ids,
                tokenizer.decode(ids) == decoded,
                "".join(map(stream.push, ids)) + stream.finish() == decoded,
                list(tokenizer.encode_with_offsets(text).ids) == ids,
            )
            checks += len(results)
            wrong += results.count(False)
    imported = [module for module in OPTIONAL if module in sys.modules]
    print(
        f"{len(fixture['models'])} models, {checks} checks against tokenizers {fixture['tokenizers']}, {wrong} differ"
    )
    if imported:
        print(f"imported without need: {', '.join(imported)}")
    return int(bool(wrong or imported or not checks))


if __name__ == "__main__":
    code = main()
    if code:
        sys.exit(code)
