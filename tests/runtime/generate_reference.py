"""Write reference.json.gz: what transformers + torch compute for the tiny models and for SmolLM2.

Run where torch is installed, from the repository's root:

    python tests/runtime/generate_reference.py [SmolLM2-135M-Instruct.Q4_1.gguf [gemma-3-270m-q4_k_m.gguf]]

The tests read the stored file, so they need no torch. Logits are stored as base64 of float32.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from tiny_models import MODELS, PROMPT, state  # noqa: E402

import tokenizers_lite  # noqa: E402

TARGET = Path(__file__).parent / "reference.json.gz"
QUESTIONS = (
    "What is the capital of France?",
    "Write a haiku about rain.",
    "Explain in one sentence why the sky is blue.",
    "List three uses of a paper clip.",
    "Translate 'good morning' into Spanish.",
)
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
NEW_TOKENS = 64
STRIDE = 97  # every 97th logit of SmolLM2's vocabulary is stored


def pack(values: np.ndarray) -> str:
    """float32 values as text."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def tiny(name: str) -> dict:
    """Logits of the prompt, of the prompt three times over, and greedy tokens, of one tiny model."""
    kind, values = MODELS[name]
    config = getattr(transformers, kind)(**values, attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    tensors = {key: torch.from_numpy(array) for key, array in state(name).items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    assert set(missing) <= tied, (name, missing)
    assert not unexpected, (name, unexpected)
    model.tie_weights()
    with torch.no_grad():
        logits = model(torch.tensor([PROMPT])).logits[0]
        longer = model(torch.tensor([PROMPT * 3])).logits[0, -1]
        greedy = model.generate(torch.tensor([PROMPT]), max_new_tokens=12, do_sample=False, eos_token_id=None)
    return {
        "logits": pack(logits.numpy()),
        "longer": pack(longer.numpy()),
        "greedy": greedy[0, len(PROMPT) :].tolist(),
    }


def smollm2(path: str) -> list[dict]:
    """Prompt ids, greedy ids and some logits for chat questions; weights dequantised by transformers."""
    place = Path(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(place.parent, gguf_file=place.name, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(place.parent, gguf_file=place.name)
    model.eval()
    answers = []
    for question in QUESTIONS:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
        ids = tokenizer(text + "<|im_start|>assistant\n", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
            out = model.generate(torch.tensor([ids]), max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=2)
        answers.append(
            {
                "question": question,
                "ids": ids,
                "greedy": [token for token in out[0, len(ids) :].tolist() if token != 2],
                "logits": pack(logits.numpy()[::STRIDE]),
            }
        )
    return answers


def gemma3(path: str) -> list[dict]:
    """As `smollm2`, for a base model: texts to continue, the last one longer than its window of 512 tokens."""
    place = Path(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(place.parent, gguf_file=place.name, dtype=torch.float32)
    tokenizer = tokenizers_lite.load(place)  # transformers takes many minutes to convert this one
    model.eval()
    licence = (Path(__file__).parents[2] / "LICENSE").read_text()
    answers = []
    for text in ("The capital of France is", "def fibonacci(n):", "Once upon a time", licence[:4200]):
        ids = tokenizer.encode(text)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
            out = model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False, eos_token_id=None)
        answers.append({"ids": ids, "greedy": out[0, len(ids) :].tolist(), "logits": pack(logits.numpy()[::997])})
    return answers


def main() -> None:
    """Write the file; The part of a model whose weights are not given is kept."""
    torch.manual_seed(0)
    stored = json.loads(gzip.decompress(TARGET.read_bytes())) if TARGET.exists() else {}
    stored["versions"] = {"torch": torch.__version__, "transformers": transformers.__version__}
    stored["tiny"] = {name: tiny(name) for name in MODELS}
    if len(sys.argv) > 1 and sys.argv[1]:
        stored["smollm2"] = smollm2(sys.argv[1])
    if len(sys.argv) > 2:
        stored["gemma3"] = gemma3(sys.argv[2])
    TARGET.write_bytes(gzip.compress(json.dumps(stored, sort_keys=True).encode(), mtime=0))
    print(TARGET, TARGET.stat().st_size)


if __name__ == "__main__":
    main()
