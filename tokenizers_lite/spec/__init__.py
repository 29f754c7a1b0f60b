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
    """A token matched in the text before the model sees it.

    >>> AddedToken(0, "<mask>", lstrip=True, special=True).replace(id=7).id
    7

    Attributes:
        id: its id; `Tokenizer.with_tokens` chooses one itself.
        content: the text that is matched.
        single_word: match only where no letter, digit or underscore touches it.
        lstrip: swallow the white space before it.
        rstrip: swallow the white space behind it.
        normalized: look for it in the normalized text, not in the text as given.
        special: decoding leaves it out, and texts can be kept from forging it.
    """

    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class Truncation(Record):
    """tokenizer.json's truncation; kept for round trips, applied only on request.

    >>> bge = load("bge-small-en")
    >>> bge.encode_with_offsets("Hello there you", truncation=Truncation(max_length=4)).tokens
    ('[CLS]', 'hello', 'there', '[SEP]')

    Attributes:
        max_length: in tokens, special ones included.
        strategy: "LongestFirst" cuts the longer text of a pair first, "OnlyFirst" and "OnlySecond" one of them.
        stride: how many tokens each overflowing part repeats of the one before it.
        direction: "Right" cuts the end off, "Left" the start.
    """

    max_length: int
    strategy: str = "LongestFirst"
    stride: int = 0
    direction: str = "Right"


class Padding(Record):
    """tokenizer.json's padding; kept for round trips, applied only on request.

    >>> bge = load("bge-small-en")
    >>> bge.encode_with_offsets("Hi", padding=Padding(fixed=5)).ids
    (101, 7632, 102, 0, 0)

    Attributes:
        fixed: the length in tokens (strategy ``{"Fixed": n}``); None is that of the longest (BatchLongest).
        direction: "Right" fills up at the end, "Left" at the start.
        pad_to_multiple_of: make the length a multiple of this.
        pad_id: id of the tokens that are put in.
        pad_type_id: their type id.
        pad_token: their text.
    """

    fixed: int | None = None
    direction: str = "Right"
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
    """A whole tokenizer: what any of the source formats says, and all that the tokenizer and the writers know.

    >>> tokenizer.spec.normalizer
    NFC()
    >>> tokenizer.spec.config.stop_ids
    (151645, 151643)

    Attributes:
        model: a record of `spec.models`: vocabulary and merges or scores.
        added_tokens: in the order of their ids.
        normalizer: a record of `spec.normalizers`, None if text stays as it is.
        pre_tokenizer: a record of `spec.pre_tokenizers`, None if text stays whole.
        post_processor: a record of `spec.post_processors`, None if nothing is added.
        decoder: a record of `spec.decoders`, None if tokens are joined by blanks.
        truncation: what the file says; applied only on request.
        padding: what the file says; applied only on request.
        config: what the files beside the vocabulary say.
        source: where all this was read.
    """

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
