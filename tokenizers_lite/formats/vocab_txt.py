"""vocab.txt -> Spec: a WordPiece token a line, its number from 0 being its id.

Everything else is BERT's, with the options of tokenizer_config.json beside the
file: what transformers 4.57 makes of a folder without tokenizer.json
(models/bert/tokenization_bert.py, BertConverter in convert_slow_tokenizer.py).
"""

from __future__ import annotations

import os

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _config_files, _transformers, config, hf_json
from tokenizers_lite.spec import Config, Source, Spec, decoders, models, normalizers, pre_tokenizers
from tokenizers_lite.spec import post_processors as pp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BERT = ("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "")


def read(path: str) -> Spec:
    """Read a vocab.txt, or the one in a folder.

    Raises:
        SpecError: the file is broken, or tokenizer_config.json declares a class
            that is not BERT's.
        OSError: the file cannot be read.
    """
    folder, name = (path, "vocab.txt") if os.path.isdir(path) else os.path.split(path)
    files = _config_files.Files(folder)
    vocab = _vocab(files.text(name, missing_ok=False) or "")
    if not vocab:
        raise SpecError("there is no token in it", file=files.path(name))
    source = Source("vocab.txt", tuple(files.used))
    where = "tokenizer_config.json"
    settings = files.read(where)
    declared = files.value(where, settings, "tokenizer_class", str, None) or ""
    if _transformers.base_name(declared) not in _BERT:
        raise SpecError(
            "vocab.txt is read as BERT's, and this class is not known to be; use the model's tokenizer.json",
            file=files.path(where),
            field="tokenizer_class",
            value=declared,
        )
    spec = Spec(
        model=models.WordPiece(vocab, "[UNK]", "##", 100),
        normalizer=_normalizer(files, settings),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece("##", True),
        source=source,
    )
    spec = config.apply(spec, folder, default_class="BertTokenizer")
    model = models.WordPiece(vocab, spec.config.unk_token or "[UNK]", "##", 100)
    return spec.replace(model=model, post_processor=_template(spec, spec.config))


def _vocab(text: str) -> dict[str, int]:
    """Number the lines; of equal tokens the last one counts."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return {token: i for i, token in enumerate(lines)}


def _normalizer(files: _config_files.Files, settings: dict[str, Any]) -> normalizers.BertNormalizer:
    """Make the normalizer of do_lower_case, tokenize_chinese_chars and strip_accents."""

    def flag(key: str, default: bool | None) -> bool | None:
        value: bool | None = files.value("tokenizer_config.json", settings, key, bool, default)
        return value

    if flag("do_basic_tokenize", True) is False:
        return normalizers.BertNormalizer(True, False, False, False)
    chinese, lower = flag("tokenize_chinese_chars", True), flag("do_lower_case", True)
    return normalizers.BertNormalizer(True, bool(chinese), flag("strip_accents", None), bool(lower))


def _template(spec: Spec, names: Config) -> pp.TemplateProcessing:
    """Put the classifier token before a text and the separator behind each."""
    ids = {**hf_json.token_ids(spec.model), **{token.content: token.id for token in spec.added_tokens}}
    cls, sep = names.cls_token, names.sep_token
    if cls is None or sep is None:
        raise SpecError("BERT needs a cls_token and a sep_token", file="tokenizer_config.json", field="cls_token")
    for text in (cls, sep):
        if text not in ids:
            raise SpecError(
                "BERT puts this token around texts, but the vocabulary lacks it", file="vocab.txt", value=text
            )
    first = pp.TemplatePiece(cls, True, 0)
    single = (first, pp.TemplatePiece("A", False, 0), pp.TemplatePiece(sep, True, 0))
    pair = (*single, pp.TemplatePiece("B", False, 1), pp.TemplatePiece(sep, True, 1))
    special = tuple((text, (ids[text],), (text,)) for text in dict.fromkeys((cls, sep)))
    return pp.TemplateProcessing(single, pair, special)
