"""View: one text under several tokenizers -> a self-contained HTML page.

The page needs no network, and to be read no script: tokens are elements around
the text itself, so that selecting and copying gives the text back. The script
adds ids, offsets and bytes under the pointer. The text is hostile: it gets
into the page through `_shown` and `_json` only, and the page's
Content-Security-Policy lets no script run but the one whose hash it names.
"""

from __future__ import annotations

import os
from html import escape

from tokenizers_lite import _terminal
from tokenizers_lite.tokenizer import scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tokenizers_lite.tokenizer import Tokenizer

# Characters of the text on the page: browsers get slow with some 100,000 elements.
LIMIT = 20_000
# Tokens of the shown part are found in this much more text, so that its end is not taken for the text's end.
_BEYOND = 2000
# They hold emoji and Indic letters together and must not be torn out.
_JOINERS = "\u200c\u200d"
# Spelled with what every font has.
_SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "\\r", "\0": "\\0", "\u00a0": "NBSP", "\u200b": "ZWSP", "\ufeff": "BOM"}
_DIFFERENCES = '<input type="checkbox" id="differences"><label for="differences">only differences</label>'
_WORDS = {"x": "special token", "k": "unknown to the model", "e": "no text of its own"}


class _Group:
    """A piece of the text and the indices of its tokens; more than one if they share characters."""

    def __init__(self, text: str, tokens: Sequence[int], start: int) -> None:
        self.text = text
        self.tokens = tokens
        self.start = start
        self.end = start + len(text)
        self.differs = False

    @property
    def key(self) -> tuple[int, int, int]:
        """Return where the group begins and ends, without white space at its ends, and its number of tokens."""
        bare = self.text.strip()
        if not bare:
            return self.start, self.end, len(self.tokens)
        start = self.start + self.text.index(bare)
        return start, start + len(bare), len(self.tokens)


class _Column:
    """What one tokenizer makes of the text: all its ids, and the tokens that the page shows."""

    def __init__(self, name: str, tokenizer: Tokenizer, text: str, limit: int, options: dict[str, Any]) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.ids = tokenizer.encode(text, **options)
        self.encoding = encoding = tokenizer.encode_with_offsets(text[: limit + _BEYOND], **options)
        shown, end = len(self.ids), len(text)
        if end > limit:
            shown = _agreeing(self.ids, encoding.ids)
            shown = next((at for at in range(shown) if encoding.offsets[at][1] > limit), shown)
            end = max((b for _, b in encoding.offsets[:shown]), default=0)
        self.groups: list[_Group] = []
        start = 0
        for piece, tokens in _terminal.spans(text[:end], encoding.replace(offsets=encoding.offsets[:shown])):
            self.groups.append(_Group(piece, tuple(tokens), start))
            start += len(piece)
        self.end = start

    def kind(self, group: _Group) -> str:
        """Return x for a special token, k for an unknown one, e for one without text, else nothing."""
        id_ = self.encoding.ids[group.tokens[0]]
        if id_ == self.tokenizer.unk_id and group.text != self.encoding.tokens[group.tokens[0]]:
            return "k"
        if id_ in self.tokenizer.special_ids:
            return "x"
        return "" if group.text else "e"

    def bytes_of(self, id_: int) -> bytes:
        """Return the bytes of a token that shares a character with others: seen behind another token."""
        context = self.tokenizer.encode("a", add_special_tokens=False)
        before = self.tokenizer.decode_bytes(context, skip_special_tokens=False)
        return self.tokenizer.decode_bytes([*context, id_], skip_special_tokens=False)[len(before) :]


def render(
    text: str,
    tokenizers: Mapping[str, Tokenizer],
    *,
    title: str = "Tokens",
    limit: int = LIMIT,
    **options: Any,
) -> str:
    """Return an HTML page that shows the tokens of `text` under each tokenizer.

    Args:
        text: any `str`; lone surrogates are shown as U+FFFD, as `encode` reads them.
        tokenizers: what to call each and the tokenizer itself, in the order of the page.
        title: heading of the page.
        limit: how many characters of the text are shown; counts are of all of it.
        options: `add_special_tokens` and `allowed_special`, as `Tokenizer.encode` takes them.

    Returns:
        A whole document without any reference to another; write it as UTF-8.
    """
    text = scalars(text)
    columns = [_Column(name, tokenizer, text, limit, options) for name, tokenizer in tokenizers.items()]
    alike = _compare(columns)
    style, script = _asset("view.css"), _asset("view.js")
    panels = "\n".join(_panel(number, column) for number, column in enumerate(columns))
    several = " several" if len(columns) > 1 else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{_about(text, columns, alike, limit)}
{_counts(text, columns)}
<input type="checkbox" id="spaces" checked><label for="spaces">white space</label>
{_DIFFERENCES if several else ""}<noscript><p class="about">Ids, offsets and bytes need JavaScript.</p></noscript>
<main class="panels{several}">
{panels}
</main>
<aside id="info" aria-live="polite">\
<p>Point at a token, tap it, or move with the arrow keys; click to hold it, Escape to let go.</p>
<table hidden><thead><tr><th scope="col">Model</th><th scope="col">Id</th><th scope="col">Token</th>\
<th scope="col">Characters</th><th scope="col">Bytes</th><td></td></tr></thead><tbody></tbody></table></aside>
<script type="application/json" id="data">{_json([_data(column) for column in columns])}</script>
<script>{script}</script>
</body>
</html>
"""


def _agreeing(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many ids at the start of both are equal."""
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _compare(columns: list[_Column]) -> int:
    """Mark the groups that not all models cut alike; return how many characters all do, spaces at ends left out.

    Which token a space between two words belongs to is not counted as a
    difference; white space in tokens of its own is.
    """
    alike: set[tuple[int, int, int]] | None = None
    for column in columns:
        keys = {group.key for group in column.groups if group.tokens}
        alike = keys if alike is None else alike & keys
    for column in columns:
        for group in column.groups:
            group.differs = bool(group.text and group.tokens) and group.key not in (alike or ())
    return sum(end - start for start, end, _ in alike or ())


def _asset(name: str) -> str:
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/{name}", encoding="utf-8") as file:
        return file.read()


def _policy(script: str) -> str:
    """Return a policy under which nothing is fetched and only `script` runs."""
    from base64 import b64encode
    from hashlib import sha256

    digest = b64encode(sha256(script.encode()).digest()).decode()
    own = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _json(value: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    import json

    made = json.dumps(value, separators=(",", ":"))
    return made.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _about(text: str, columns: list[_Column], alike: int, limit: int) -> str:
    size = len(text.encode())
    said = f"{len(text):,} characters, {size:,} bytes."
    if len(columns) > 1 and text:
        share = alike / max(sum(end - start for start, end, _ in (g.key for g in c.groups)) for c in columns)
        said += f" All {len(columns)} models cut {share:.0%} of the text shown alike."
    if len(text) > limit:
        said += (
            f" Shown are the first {min(column.end for column in columns):,} characters; counts are of the whole text."
        )
    return f'<p class="about">{said}</p>'


def _counts(text: str, columns: list[_Column]) -> str:
    """Return the table of token counts."""
    size = len(text.encode())
    rows = []
    for column in columns:
        special = column.tokenizer.special_ids
        count = len(column.ids)
        numbers = (
            f"{count:,}",
            f"{len(text) / count:.2f}" if count else "–",
            f"{size / count:.2f}" if count else "–",
            f"{sum(id_ in special for id_ in column.ids):,}",
            f"{column.tokenizer.vocab_size:,}",
        )
        cells = "".join(f"<td>{number}</td>" for number in numbers)
        rows.append(f'<tr><th scope="row">{escape(column.name)}</th>{cells}</tr>')
    heads = ("Model", "Tokens", "Chars/token", "Bytes/token", "Special", "Vocabulary")
    return (
        '<div class="wide"><table class="counts"><thead><tr>'
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _panel(number: int, column: _Column) -> str:
    """Return the text under one model: an ``i`` for each token or group of tokens, ``u`` for what has none."""
    parts = []
    for group in column.groups:
        if not group.tokens:
            parts.append(f"<u>{_shown(group.text)}</u>")
            continue
        kind = column.kind(group)
        classes = (kind + " d" if group.differs else kind).strip()
        attributes = f' class="{classes}"' if classes else ""
        if kind:
            attributes += f' data-k="{_WORDS[kind]}"'
        if len(group.tokens) > 1:
            attributes += f' data-n="{len(group.tokens)}"'
        if not group.text:
            attributes += f' data-t="{_sign_all(column.encoding.tokens[group.tokens[0]])}"'
        parts.append(f"<i{attributes}>{_shown(group.text)}</i>")
    name = escape(column.name)
    return (
        f"<section><header><h2>{name}</h2><p>{len(column.ids):,} tokens</p>"
        '<button type="button">Copy ids</button></header>'
        f'<pre id="tokens{number}" tabindex="0" role="group" '
        f'aria-label="Tokens by {name}; arrow keys move between them">' + "".join(parts) + "</pre></section>"
    )


def _shown(text: str) -> str:
    """Return HTML of a text in which white space and what cannot be seen carries a sign beside it.

    >>> _shown("<b> ")
    '&lt;b&gt;<s> </s>'
    """
    if text.isascii() and text.isalnum():
        return text
    return "".join(map(_SHOWN.__getitem__, text))


class _Shown(dict[str, str]):
    """Character -> HTML, made when missing."""

    def __missing__(self, char: str) -> str:
        if char == " ":
            made = "<s> </s>"
        elif char.isprintable() or char in _JOINERS:
            made = escape(char)
        else:
            # A parser would turn CR into LF and NUL into U+FFFD; of NUL only the sign is left.
            raw = {"\r": "&#13;", "\x00": ""}.get(char, char)
            made = '<s data-c="⏎"></s>\n' if char == "\n" else f'<s data-c="{_sign(char)}">{raw}</s>'
        if len(self) < 4096:
            self[char] = made
        return made


_SHOWN = _Shown()


def _sign(char: str) -> str:
    """Return what stands for a character that cannot be seen."""
    return _SIGNS.get(char) or (f"\\x{ord(char):02x}" if char < "\x80" else f"U+{ord(char):04X}")


def _sign_all(text: str) -> str:
    return escape("".join(char if char.isprintable() else _sign(char) for char in text))


def _data(column: _Column) -> dict[str, Any]:
    """Return what the script needs of a column: columns of numbers, and each different token once."""
    encoding = column.encoding
    order = [token for group in column.groups for token in group.tokens]
    shared = {encoding.ids[token] for group in column.groups if len(group.tokens) > 1 for token in group.tokens}
    return {
        "name": column.name,
        "ids": [encoding.ids[token] for token in order],
        "offsets": [place for token in order for place in encoding.offsets[token]],
        "tokens": {encoding.ids[token]: encoding.tokens[token] for token in order},
        "bytes": {id_: column.bytes_of(id_).hex(" ") for id_ in shared},
    }
