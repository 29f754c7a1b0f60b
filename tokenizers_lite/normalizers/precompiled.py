"""Precompiled: text -> text by a compiled character map, the way tokenizers applies one.

Not the way sentencepiece does: text is taken grapheme by grapheme, and a
grapheme of less than six bytes that starts with a key is replaced as a whole
by the shortest such key's replacement; of other graphemes, each character that
is a key (tokenizers 0.23.3, normalizers/precompiled.rs; spm_precompiled 0.1.4).
"""

from __future__ import annotations

import re

from tokenizers_lite.normalizers.charsmap import CharsMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.spec import normalizers as spec_normalizers

_MAX_BYTES = 6
_MAX_REMEMBERED = 1 << 16


class Precompiled:
    """The running form of `spec.normalizers.Precompiled`.

    Raises:
        SpecError: the character map is broken.
    """

    def __init__(self, spec: spec_normalizers.Precompiled) -> None:
        self._map = CharsMap(spec.precompiled_charsmap)
        self._graphemes = _Replacements(self._map)
        self._characters = _CharacterTable(self._map)
        self._joining: re.Pattern[str] | None = None

    def normalize(self, text: str) -> str:
        """Return the text with the map applied."""
        if self._is_simple(text):
            return text.translate(self._characters)
        return "".join([self._graphemes[cluster] for cluster in _clusters(text)])

    def align(self, ns: NormalizedString) -> NormalizedString:
        """Do what `normalize` does to the text of `ns`, keeping track of origins."""
        changes: list[tuple[str, int]] = []
        modified = False
        for cluster in _clusters(ns.text):
            replacement = self._whole(cluster)
            parts = [(cluster, replacement)]
            if replacement is None:
                parts = [(char, self._map.shortest(char)) for char in cluster]
            for old, new in parts:
                if new is None:
                    changes.append((old, 0))
                else:
                    modified = True
                    _replace(changes, len(old), new)
        return ns.transform(changes) if modified else ns

    def _whole(self, cluster: str) -> str | None:
        return self._map.shortest(cluster) if len(cluster.encode()) < _MAX_BYTES else None

    def _is_simple(self, text: str) -> bool:
        """Whether every grapheme is one character, or it makes no difference."""
        if text.isascii():
            return "\r\n" not in text
        if self._joining is None:
            from tokenizers_lite.normalizers._grapheme_data import JOINING, PREPEND

            self._joining = re.compile(f"[{JOINING}{PREPEND}]|\r\n")
        return self._joining.search(text) is None


class _Replacements(dict[str, str]):
    """Grapheme -> what becomes of it, computed when missing."""

    def __init__(self, charsmap: CharsMap) -> None:
        super().__init__()
        self._map = charsmap

    def __missing__(self, cluster: str) -> str:
        shortest = self._map.shortest
        new = shortest(cluster) if len(cluster.encode()) < _MAX_BYTES else None
        if new is None:
            replacements = [(char, shortest(char)) for char in cluster]
            new = "".join([char if other is None else other for char, other in replacements])
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        if len(cluster) < _MAX_BYTES:
            self[cluster] = new
        return new


class _CharacterTable(dict[int, str]):
    """Code point -> what becomes of that character alone; a table for `str.translate`."""

    def __init__(self, charsmap: CharsMap) -> None:
        super().__init__()
        self._map = charsmap

    def __missing__(self, code: int) -> str:
        char = chr(code)
        new = self._map.shortest(char)
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        self[code] = char if new is None else new
        return self[code]


def _clusters(text: str) -> list[str]:
    from tokenizers_lite.normalizers._graphemes import CLUSTER

    return CLUSTER.findall(text)


def _replace(changes: list[tuple[str, int]], old: int, new: str) -> None:
    """Note that `old` characters became `new` (precompiled.rs, replace).

    A shorter replacement lets its last character stand for what is dropped; an
    empty one adds that to the character before it, whatever that was.
    """
    added = len(new) - old
    changes += [(char, int(i >= old)) for i, char in enumerate(new)]
    if added < 0 and changes:
        char, change = changes[-1]
        changes[-1] = (char, change + added)
