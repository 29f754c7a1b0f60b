"""Text -> grapheme clusters, as the Unicode version behind tokenizers cuts them.

Rules are those of Unicode Standard Annex 29. Pairs of regional indicators are
left apart: no caller can tell (see tests/oracle/generate_graphemes.py).
"""

from __future__ import annotations

import re

from tokenizers_lite.normalizers._grapheme_data import (
    CONJUNCT_EXTEND,
    CONSONANT,
    CONTROL,
    EXTEND,
    JOINING,
    LINKER,
    PICTURE,
    PREPEND,
)

_LV = "".join(map(chr, range(0xAC00, 0xD7A4, 28)))  # syllables without a final
_L, _V, _T = r"[\u1100-\u115f\ua960-\ua97c]", r"[\u1160-\u11a7\ud7b0-\ud7c6]", r"[\u11a8-\u11ff\ud7cb-\ud7fb]"
# Each alternative can match in one way only, so that long runs take linear time.
_SYLLABLE = rf"{_V}+{_T}*|[{_LV}]{_V}*{_T}*|[\uac00-\ud7a3]{_T}*"
_HANGUL = rf"(?:{_L}+(?:{_SYLLABLE})?|{_SYLLABLE}|{_T}+)"
_PICTURES = rf"[{PICTURE}](?:[{EXTEND}]*\u200d[{PICTURE}])*"
_CONJUNCT = rf"[{CONSONANT}](?:[{CONJUNCT_EXTEND}]*[{LINKER}][{LINKER}{CONJUNCT_EXTEND}]*[{CONSONANT}])+"

#: Finds a text's clusters one after the other.
CLUSTER = re.compile(
    rf"\r\n|[{CONTROL}]"
    rf"|[{PREPEND}]*(?:{_CONJUNCT}|{_PICTURES}|{_HANGUL}|[^{CONTROL}{PREPEND}])[{JOINING}]*"
    rf"|[{PREPEND}]+"
)
