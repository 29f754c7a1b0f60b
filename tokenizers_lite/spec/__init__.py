"""The one in-memory description of a tokenizer: frozen data, no behaviour.

Readers (`tokenizers_lite.formats`) produce a `Spec`, the tokenizer and every
writer (`vocab_converters`) consume one. Components carry the names and fields
of Hugging Face's tokenizer.json and live in modules named after its fields:
`normalizers`, `pre_tokenizers`, `models`, `post_processors`, `decoders`.
"""

from __future__ import annotations

from tokenizers_lite._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenizers_lite.spec.decoders import Decoder
    from tokenizers_lite.spec.models import Model
    from tokenizers_lite.spec.normalizers import Normalizer
    from tokenizers_lite.spec.post_processors import PostProcessor
    from tokenizers_lite.spec.pre_tokenizers import PreTokenizer

__all__ = ["AddedToken", "Config", "Padding", "Pattern", "Source", "SourceFile", "Spec", "Truncation"]


class Pattern(Record):
    """What Split and Replace look for: a literal string or an Oniguruma regex."""

    text: str
    regex: bool = False  # tokenizer.json: {"Regex": text} or {"String": text}


class AddedToken(Record):
    """A token matched in the text before the model sees it."""

    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class Truncation(Record):
    """tokenizer.json's truncation; kept for round trips, applied only on request."""

    max_length: int
    strategy: str = "LongestFirst"  # LongestFirst | OnlyFirst | OnlySecond
    stride: int = 0
    direction: str = "Right"  # Left | Right


class Padding(Record):
    """tokenizer.json's padding; kept for round trips, applied only on request."""

    fixed: int | None = None  # strategy {"Fixed": n}; None is BatchLongest
    direction: str = "Right"  # Left | Right
    pad_to_multiple_of: int | None = None
    pad_id: int = 0
    pad_type_id: int = 0
    pad_token: str = "[PAD]"


class SourceFile(Record):
    """One file a spec was read from."""

    name: str
    size: int
    sha256: str


class Source(Record):
    """Where a spec comes from."""

    kind: str = (
        "memory"  # tokenizer.json | sentencepiece | tiktoken | vocab+merges | vocab.txt | gguf | compact | memory
    )
    files: tuple[SourceFile, ...] = ()
    licence: str = ""
    note: str = ""


class Config(Record):
    """What the files beside tokenizer.json say.

    Token fields hold the token's text; ids follow from the vocabulary.
    `add_bos`/`add_eos` are true only where transformers 4 adds the token
    although the post-processor does not (TemplateProcessing already holds it
    in the other models), so that applying them can never double a BOS.
    """

    bos_token: str | None = None
    eos_token: str | None = None
    pad_token: str | None = None
    unk_token: str | None = None
    sep_token: str | None = None
    cls_token: str | None = None
    mask_token: str | None = None
    additional_special_tokens: tuple[str, ...] = ()
    add_bos: bool = False
    add_eos: bool = False
    stop_ids: tuple[int, ...] = ()  # generation_config.json's eos_token_id, all of them
    chat_templates: Mapping[str, str] = {}  # name -> Jinja source; "default" first
    clean_up_tokenization_spaces: bool = False
    model_max_length: int | None = None
    tokenizer_class: str = ""  # recorded, never used to choose behaviour


class Spec(Record):
    """A whole tokenizer."""

    model: Model
    added_tokens: tuple[AddedToken, ...] = ()
    normalizer: Normalizer | None = None
    pre_tokenizer: PreTokenizer | None = None
    post_processor: PostProcessor | None = None
    decoder: Decoder | None = None
    truncation: Truncation | None = None
    padding: Padding | None = None
    config: Config = Config()
    source: Source = Source()
