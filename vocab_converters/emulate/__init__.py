"""The three stock C++ readers in Python, bug for bug: what a phone will do with a file.

    >>> load("vocab_Qwen3.txt", "native-llm").encode("Hello")  # doctest: +SKIP
    [9707]

Written from descriptions of mnn-llm (63c01a4, 2025-01), Native-LLM-for-Android
(dbffb43, 2026-07) and MNN (4d40bdb, 2026-08). Memory and time are not
mirrored: the readers merge in quadratic time and keep every piece they saw.
"""

from __future__ import annotations

from tokenizers_lite.errors import SpecError
from vocab_converters._header import BERT, is_430
from vocab_converters.emulate._base import MNN, MNN_LLM, NATIVE, READERS, Emulated
from vocab_converters.emulate._regex import ReaderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vocab_converters.mnn_text import MergeVocab, SentencePieceVocab, TokenVocab
    from vocab_converters.mtok import Mtok

__all__ = ["MNN", "MNN_LLM", "NATIVE", "READERS", "Emulated", "ReaderError", "build", "load", "parse"]


def load(path: str, reader: str) -> Emulated:
    """Load a 430 file the way one of the C++ readers does.

    Args:
        path: a 430 file of any type, whatever its extension.
        reader: "mnn-llm", "native-llm" or "mnn".

    Raises:
        SpecError: the file is broken, or the reader's name is unknown.
        ReaderError: the reader would refuse the file or crash on loading it.
    """
    from vocab_converters._binary import read_limited

    path = str(path)
    return build(parse(read_limited(path), path), reader)


def parse(data: bytes, file: str = "<bytes>") -> Mtok | SentencePieceVocab | TokenVocab | MergeVocab:
    """Parse a 430 file of any type."""
    from vocab_converters import mnn_text, mtok

    if is_430(data) and data[4:5] == b"4":
        return mtok.parse(data, file)
    return mnn_text.parse(data, file)


def build(record: Mtok | SentencePieceVocab | TokenVocab | MergeVocab, reader: str) -> Emulated:
    """Emulate `reader` on a parsed file."""
    from vocab_converters import mnn_text, mtok
    from vocab_converters.emulate import _pipeline, _text

    if reader not in READERS:
        raise SpecError(f"unknown reader; known are {', '.join(READERS)}", value=reader)
    if isinstance(record, mtok.Mtok):
        return _pipeline.EmulatedPipeline(record, reader)
    if isinstance(record, mnn_text.SentencePieceVocab):
        return _text.EmulatedSentencePiece(record, reader)
    if isinstance(record, mnn_text.MergeVocab):
        return _text.EmulatedHuggingFace(record, reader)
    kind = _text.EmulatedBert if record.header.type == BERT else _text.EmulatedTiktoken
    return kind(record, reader)
