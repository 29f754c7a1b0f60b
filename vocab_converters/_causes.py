"""Why do the ids of a text differ? By trying: take the suspected thing away and see whether they agree."""

from __future__ import annotations

import re
import unicodedata

from tokenizers_lite.spec import models
from vocab_converters._facts import marker_form
from vocab_converters._header import BERT, HUGGINGFACE, SENTENCEPIECE, TIKTOKEN
from vocab_converters._patterns import RUN_LIMIT
from vocab_converters.emulate import ReaderError
from vocab_converters.emulate._base import MNN_LLM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers_lite.spec import Spec

    Encode = Callable[[str], Sequence[int]]

REMEDIES = {
    "the reader fails": "use another target or reader",
    "special tokens in the text": "keep special tokens out of the text, or encode the parts apart in the app",
    "no normalization": "normalize in the app before encoding (java.text.Normalizer), or use the compact format",
    "ids around the text": "add them in the app",
    "white space the reader does not know": "replace U+0085, U+2028 and U+2029 in the app",
    "control characters U+0001 to U+0007": "remove them in the app; the reader uses them for its own purposes",
    "characters newer than Unicode 15.0": "none for this reader; the compact format knows them",
    "whole tokens (ignore_merges)": "use the compact format",
    "runs of letters cut": "pass cap_runs=False if the app bounds its input",
    "the reader's own pre-tokenizer": "use .mtok",
    "longest match instead of merges": "use .mtok or type 3",
    "leading ▁": "use .mtok, or reader mnn-llm",
    "the reader's own word splitting": "use .mtok",
}

_LATE_SPACES = re.compile("[\u0085\u2028\u2029]")
_COLLIDING = re.compile("[\x01-\x07]")
_LONG_RUN = re.compile(rf"[^\W\d_]{{{RUN_LIMIT + 1}}}")


def _within(short: list[int], long: list[int]) -> bool:
    """Tell whether one list is the other without up to three ids at its ends."""
    extra = len(long) - len(short)
    return 0 < extra <= 3 and any(long[at : at + len(short)] == short for at in range(extra + 1))


class Explainer:
    """Names the cause of a difference.

    Args:
        spec: the tokenizer.
        exact: its encoder.
        emulated: the file's encoder; may raise ReaderError.
        reader: which reader, "" for targets that no reader loads.
        kind: type of the 430 file, None for others.
    """

    def __init__(self, spec: Spec, exact: Encode, emulated: Encode, reader: str = "", kind: int | None = None) -> None:
        self.spec = spec
        self.exact = exact
        self.emulated = emulated
        self.reader = reader
        self.kind = kind
        contents = sorted((token.content for token in spec.added_tokens if token.content), key=len, reverse=True)
        self.tokens = re.compile("|".join(map(re.escape, contents))) if contents else None
        self._normalize = self._normalizer()

    def _normalizer(self) -> Callable[[str], str] | None:
        if self.spec.normalizer is None or marker_form(self.spec) is not None:
            return None
        from tokenizers_lite.normalizers import build

        return build(self.spec.normalizer).normalize

    def agrees(self, text: str) -> bool:
        """Tell whether a variant of the text has equal ids."""
        try:
            return list(self.exact(text)) == list(self.emulated(text))
        except ReaderError:
            return False

    def __call__(self, text: str, expected: Sequence[int], got: Sequence[int] | None) -> str:
        if got is None:
            return "the reader fails"
        for cause, variant in self._variants(text):
            if variant != text and self.agrees(variant):
                return cause
        if _within(list(expected), list(got)) or _within(list(got), list(expected)):
            return "ids around the text"
        if isinstance(self.spec.model, models.BPE) and self.spec.model.ignore_merges and self.kind in (None, 3, 4):
            return "whole tokens (ignore_merges)"
        return self._by_kind()

    def _variants(self, text: str) -> list[tuple[str, str]]:
        """Return the text without each suspect, mildest change first."""
        variants = []
        if _LATE_SPACES.search(text):
            variants.append(("white space the reader does not know", _LATE_SPACES.sub(" ", text)))
        if _COLLIDING.search(text):
            variants.append(("control characters U+0001 to U+0007", _COLLIDING.sub("", text)))
        if self._normalize is not None:
            variants.append(("no normalization", self._normalize(text)))
            decomposed = "".join(char for char in text if not unicodedata.combining(char))
            variants.append(("no normalization", decomposed))
        newer = "".join(char for char in text if unicodedata.category(char) != "Cn")
        variants.append(("characters newer than Unicode 15.0", newer))
        if _LONG_RUN.search(text):
            variants.append(("runs of letters cut", _LONG_RUN.sub(lambda run: run.group()[:RUN_LIMIT], text)))
        if self.tokens is not None and self.tokens.search(text):
            variants.append(("special tokens in the text", self.tokens.sub("", text)))
            variants.append(("special tokens in the text", self.tokens.sub("\n", text)))
        if len(variants) > 2:  # several suspects at once, laid to the rarest
            both = _COLLIDING.sub("", _LATE_SPACES.sub(" ", newer))
            variants.append((variants[0][0], self._normalize(both) if self._normalize else both))
        return variants

    def _by_kind(self) -> str:
        """Name what is wrong with every text of a type."""
        if self.kind == HUGGINGFACE:
            return "the reader's own pre-tokenizer"
        if self.kind == TIKTOKEN:
            return "longest match instead of merges"
        if self.kind == BERT:
            return "the reader's own word splitting"
        form = marker_form(self.spec)
        if self.kind == SENTENCEPIECE and form is not None and form.prepend == (self.reader == MNN_LLM):
            return "leading ▁"
        return "other"
