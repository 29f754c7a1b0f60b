"""A GGUF file -> a folder made by onnxruntime-genai's own model builder (int4), for comparison.

    python -m benchmarks.genai_builder MODEL.gguf FOLDER

The builder asks the hub for the configuration of a GGUF file, so transformers first writes the
dequantised weights as a folder, which needs no network.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Convert."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, target = Path(sys.argv[1]), sys.argv[2]
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    model.hf_quantizer = None  # the weights are plain floats now
    model.config.__dict__.pop("quantization_config", None)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", folder, "-o", target]
        command += ["-p", "int4", "-e", "cpu", "-c", folder, "--extra_options", "hf_token=false"]
        subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - our own arguments
    print("{}")


if __name__ == "__main__":
    main()
