"""What transformers 4.57 does for the tokenizer_class that tokenizer_config.json declares.

Source: the `__init__` signatures and `update_post_processor` of the fast classes
in transformers 4.57.6, models/*/tokenization_*_fast.py. A class that is not
here adds nothing of its own: the files alone count, as with
PreTrainedTokenizerFast.
"""

from __future__ import annotations

from tokenizers_lite.spec.post_processors import TemplatePiece, TemplateProcessing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

_BERT = (None, None, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
_ROBERTA = ("<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>")
_DEBERTA = ("[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
_GPT2 = ("<|endoftext|>", "<|endoftext|>", "<|endoftext|>", None, None, None, None)
_T5 = (None, "</s>", "<unk>", None, "<pad>", None, None)
_LLAMA = ("<s>", "</s>", "<unk>", None, None, None, None)

# Special tokens a class has where the files name none, in the order of TOKEN_NAMES.
DEFAULT_TOKENS: dict[str, tuple[str | None, ...]] = {
    "AlbertTokenizer": ("[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"),
    "BartTokenizer": _ROBERTA,
    "BertTokenizer": _BERT,
    "BloomTokenizer": ("<s>", "</s>", "<unk>", None, "<pad>", None, None),
    "CLIPTokenizer": ("<|startoftext|>", "<|endoftext|>", "<|endoftext|>", None, "<|endoftext|>", None, None),
    "CodeGenTokenizer": _GPT2,
    "CodeLlamaTokenizer": _LLAMA,
    "CohereTokenizer": ("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<UNK>", None, None, None, None),
    "DebertaTokenizer": _DEBERTA,
    "DebertaV2Tokenizer": _DEBERTA,
    "DistilBertTokenizer": _BERT,
    "ElectraTokenizer": _BERT,
    "GPT2Tokenizer": _GPT2,
    "GPTNeoXTokenizer": _GPT2,
    "GemmaTokenizer": ("<bos>", "<eos>", "<unk>", None, "<pad>", None, None),
    "LlamaTokenizer": _LLAMA,
    "MPNetTokenizer": ("<s>", "</s>", "[UNK]", "</s>", "<pad>", "<s>", "<mask>"),
    "MT5Tokenizer": _T5,
    "MobileBertTokenizer": _BERT,
    "Qwen2Tokenizer": (None, "<|endoftext|>", "<|endoftext|>", None, "<|endoftext|>", None, None),
    "RobertaTokenizer": _ROBERTA,
    "T5Tokenizer": _T5,
    "WhisperTokenizer": _GPT2,
    "XLMRobertaTokenizer": _ROBERTA,
}

# Classes that throw the file's post-processor away and build one from
# add_bos_token and add_eos_token: the defaults of those two.
REBUILT: dict[str, tuple[bool, bool]] = {
    "CodeLlamaTokenizer": (True, False),
    "CohereTokenizer": (True, False),
    "GPTNeoXTokenizer": (False, False),
    "GemmaTokenizer": (True, False),
    "LlamaTokenizer": (True, False),
}

# Special tokens that a class gives flags of its own: special, not normalized.
FLAGGED: dict[str, tuple[str, ...]] = {"Qwen2Tokenizer": ("bos_token", "eos_token", "unk_token", "pad_token")}

# Further special tokens a class has: name in tokenizer_config.json, text if it is not there.
ADDITIONAL: dict[str, dict[str, str]] = {
    "CodeLlamaTokenizer": {
        "prefix_token": "▁<PRE>",
        "middle_token": "▁<MID>",
        "suffix_token": "▁<SUF>",
        "eot_token": "▁<EOT>",
    },
}


def base_name(tokenizer_class: str) -> str:
    """Give the name both tables use: AutoTokenizer takes the fast class of either name."""
    return tokenizer_class.removesuffix("Fast")


def bos_eos_template(bos: str | None, eos: str | None, ids: Mapping[str, int]) -> TemplateProcessing:
    """Build the template of `LlamaTokenizerFast.update_post_processor`: BOS and EOS around each text.

    Args:
        bos: the text of the token before each text, None if there is none.
        eos: that of the one behind.
        ids: the ids of both.
    """

    def around(sequence: str, type_id: int) -> tuple[TemplatePiece, ...]:
        before = (TemplatePiece(bos, True, type_id),) if bos is not None else ()
        after = (TemplatePiece(eos, True, type_id),) if eos is not None else ()
        return (*before, TemplatePiece(sequence, False, type_id), *after)

    single = around("A", 0)
    special = tuple((text, (ids[text],), (text,)) for text in dict.fromkeys((bos, eos)) if text is not None)
    return TemplateProcessing(single, single + around("B", 1), special)
