"""Ask tokenizers for the ids of the bundled models; write bundled.json.gz.

    python tests/oracle/generate_bundled.py

Needs tokenizers, and the models' own tokenizer.json in ../shared/vocab. What
is written are texts of ours and their ids, no file of the models.
"""

import gzip
import json
import sys
from pathlib import Path

import tokenizers

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import paths  # noqa: E402
from tests.strategies import FRAGMENTS  # noqa: E402
from tokenizers_lite import registry  # noqa: E402
from tokenizers_lite.components import Components  # noqa: E402
from tokenizers_lite.formats import read  # noqa: E402

TEXTS = [
    "",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog. It's 12:30, isn't it?",
    "你好，世界！今天天气怎么样？",
    "こんにちは、世界。 안녕하세요 세계! Привет, мир! مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก",
    "def f(x):\n\treturn x ** 2  # square\n\n\nprint(f(3))\r\n",
    "naïve café e\u0301 \u212b ﬁ — “quotes” … 👩‍👩‍👧‍👦 🇨🇳 ❤️",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "<s>[INST] <|user|>\n hi <|end|></s><|endoftext|>",
    "   leading, trailing   ",
    "1234567890 3.14 1e-10 0xFF ½ Ⅷ ٣",
    "a" * 300 + " " * 100 + "\n" * 50 + "-" * 200,
    "".join(FRAGMENTS),
    "\0\x01\ufffe\U0010ffff\u0378\ue000",
    *FRAGMENTS,
]


def main() -> None:
    """Write the fixture."""
    models = {}
    for entry in registry.entries():
        if registry.bundled(entry) is None:
            continue
        folder = next(paths.SHARED / "vocab" / name for name in paths.models() if registry.find(name) == entry)
        oracle = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        # What transformers 4.57 adds to the file: tokens and BOS (tests/oracle/generate_transformers.py).
        spec = read(str(folder))
        known = oracle.get_added_tokens_decoder()
        for token in spec.added_tokens:
            if token.id not in known:
                flags = {f: getattr(token, f) for f in ("single_word", "lstrip", "rstrip", "normalized", "special")}
                oracle.add_tokens([tokenizers.AddedToken(token.content, **flags)])
        before, after = Components(spec).frame if spec.config.add_bos or spec.config.add_eos else ((), ())
        ids = [[*before, *encoding.ids, *after] for encoding in oracle.encode_batch(TEXTS)]
        models[entry.name] = {"ids": ids, "decoded": oracle.decode_batch(ids)}
    fixture = {"tokenizers": tokenizers.__version__, "texts": TEXTS, "models": models}
    data = gzip.compress(json.dumps(fixture, ensure_ascii=False).encode(), mtime=0)
    (Path(__file__).parent / "bundled.json.gz").write_bytes(data)
    print(f"{len(models)} models, {len(TEXTS)} texts, {len(data)} bytes")


if __name__ == "__main__":
    main()
