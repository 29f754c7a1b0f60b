"""Known divergences: where we differ from tokenizers 0.23.3 on purpose, and why.

Each has a test that it still differs (tests/fuzz/test_known.py), so that this
list stays true.
"""

from __future__ import annotations

REASONS = {
    "template": "tokenizers loads a TemplateProcessing whose single template names B, or whose pieces name a special "
    "token that is not listed, or one with fewer ids than tokens, and panics or gives columns of different lengths "
    "when it encodes; we refuse the file",
    "max_length": "tokenizers' truncation to fewer tokens than the special tokens take wraps around below zero and "
    "cuts nothing; we raise TruncationError",
    "equal added tokens": "of added tokens whose texts normalize to the same, tokenizers matches any, a different one "
    "each time the file is loaded; we match the one with the highest id",
    "shared id": "where ids have holes tokenizers may give an added token the id of a token of the vocabulary, or of "
    "another added token, lists both for that id and matches one; it may decode the id to what the other normalizes "
    "to, as it does for a token that is listed twice, once normalized; we know the id by the one text that is matched",
}
_MESSAGES = {
    "template names a sequence that is none of": "template",
    "template names a token that special_tokens lacks": "template",
    "a special token needs as many ids as tokens": "template",
    "special tokens that are added; raise max_length": "max_length",
    "shared id: ": "shared id",
}


def known(wrong: str) -> str | None:
    """Return the name of the known divergence that a difference is, None if it is a new one."""
    return next((name for message, name in _MESSAGES.items() if message in wrong), None)
