"""Long texts in one piece: the added tokens of a text become marks, and the rest is normalized at one go.

Gemma cuts a document of 8 KB into a hundred parts at blank lines and tags;
where a normalizer rewrites literal text only, what it makes of all parts side
by side is what it makes of each.
"""

from __future__ import annotations

from tokenizers_lite.bulk import END, MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.added import AddedTokens
    from tokenizers_lite.pipeline import CutBPE
    from tokenizers_lite.spec.normalizers import Normalizer


class MarkedTexts:
    """Encodes long texts once the pipeline does so by numpy.

    Args:
        added: the added tokens; none of them is searched for in normalized text.
        replaced: the text that the normalizer replaces, and by what; None if there is no normalizer.
        pipeline: encodes.
    """

    def __init__(self, added: AddedTokens, replaced: tuple[str, str] | None, pipeline: CutBPE) -> None:
        self._added = added.raw
        self._replaced = replaced
        self._pipeline = pipeline

    def encode(self, text: str) -> list[int] | None:
        """Return the ids of a text, None if another way has to be gone."""
        found = self._marked([text])
        return None if found is None else self._pipeline.encode_marked(found[0][:-1], found[1][:-1])

    def encode_many(self, texts: list[str]) -> list[list[int]] | None:
        """Return the ids of each text, None if another way has to be gone."""
        found = self._marked(texts)
        return None if found is None else self._pipeline.encode_marked_many(*found)

    def _marked(self, texts: list[str]) -> tuple[str, list[int]] | None:
        """Return texts as one, with a `MARK` in the place of each token and at each end, and what those stand for."""
        if self._pipeline.bulk is None or any(MARK in text for text in texts):
            return None
        tokens, plain, ids = self._added.tokens, [], []
        for text in texts:
            splitter = self._added.splitter(text)
            if splitter is None:
                return None
            found = splitter.split(text)
            plain += found[::2]
            ids += [tokens[token].id for token in found[1::2]]
            ids.append(END)
        plain.append("")
        joined = MARK.join(plain)
        return joined if self._replaced is None else joined.replace(*self._replaced), ids


def marked_texts(added: AddedTokens, normalizer: Normalizer | None, pipeline: CutBPE) -> MarkedTexts | None:
    """Return what encodes long texts in one piece, None if the normalizer or the added tokens do not allow it."""
    from tokenizers_lite.spec.normalizers import Replace

    if added.normalized.tokens:
        return None
    if normalizer is None:
        return MarkedTexts(added, None, pipeline)
    if not isinstance(normalizer, Replace) or normalizer.pattern.regex or not normalizer.pattern.text:
        return None
    replaced = normalizer.pattern.text, normalizer.content
    return None if MARK in "".join(replaced) else MarkedTexts(added, replaced, pipeline)
