"""What texts the laws are tried on: one place for tests, fuzzing and benchmarks.

Plain `st.text()` hardly ever meets what breaks tokenizers, so texts are put
together from fragments that do: white space of all kinds, marks that compose
or reorder, format characters, digits of many scripts, contractions, markers
(``▁``, ``Ġ``), unassigned and late-assigned code points, long runs, and what
the tokenizer at hand is made of (its tokens, added tokens and parts of them).
"""

from unicodedata import category

from hypothesis import strategies as st

SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\r", "\t", " \n", "\n ", "\x0b", "\x0c", "\x1c", "\x1f", "\x85"]
SPACES += ["\xa0", "\u1680", "\u2000", "\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e"]
MARKS = ["\u0300", "\u0301", "\u0327", "\u0345", "\u0323", "\u05b0", "\u064b", "\u0e33", "\u0f71", "\u1dc0", "\u3099"]
MARKS += ["\u0903", "\u093c", "\u20e3", "\ufe0f", "\ufe0e", "\u1ab0", "\u1ac1", "\u0898", "\U00016ff0", "\u1df6"]
FORMATS = ["\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\ufeff", "\xad", "\u061c", "\ufffd", "\0", "\x07", "\x7f"]
FORMATS += ["\ufffe", "\uffff", "\U0010ffff", "\ue000", "\U000f0000", "\ufff9", "\u2066", "\U000e0041"]
LETTERS = ["a", "B", "the", "é", "e\u0301", "Å", "\u212b", "ſ", "K", "\u212a", "ß", "ẞ", "İ", "ı", "ŉ", "ΐ", "Σ", "ς"]
LETTERS += [
    "ﬁ",
    "ǆ",
    "ﷺ",
    "한",
    "\u1112\u1161\u11ab",
    "中",
    "国",
    "漢字",
    "ひら",
    "カナ",
    "が",
    "か\u3099",
    "ไทย",
    "ภาษา",
]
LETTERS += ["हिन्दी", "क\u093c", "русский", "العربية", "עברית", "ქართული", "\U0001d400", "\U00020000", "\U00030000"]
LETTERS += ["\ua7cb", "\u1c89", "\U00010d50", "\U00011380", "\U000323b0", "\u0560", "\U0001e030", "\u10fd"]
DIGITS = [
    "0",
    "1",
    "12",
    "123",
    "1234",
    "٣",
    "४",
    "３",
    "²",
    "½",
    "Ⅷ",
    "①",
    "\U0001d7d8",
    "\U0001fbf0",
    "一",
    "\U00010d40",
]
SYMBOLS = [
    "!",
    "?",
    ".",
    ",",
    "...",
    "---",
    "```",
    "//",
    "#",
    "$",
    "€",
    "_",
    "__",
    "'",
    "'s",
    "'S",
    "'ſ",
    "’s",
    "'ll",
    "'RE",
]
SYMBOLS += [
    '"',
    "<",
    ">",
    "<|",
    "|>",
    "</",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "\\",
    "^",
    "`",
    "~",
    "+",
    "=",
    "|",
    "§",
    "™",
    "→",
]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇨🇳", "🇩", "❤️", "🏴\U000e0067\U000e0062\U000e007f", "\U0001fae9", "\U0001fadf"]
MARKERS = ["▁", "▁▁", "▁a", "Ġ", "Ċ", "ĉ", "ł", "##", "</w>", "<0x41>", "<0xE4>", "<0x", "@@"]
SPECIALS = ["<s>", "</s>", "<unk>", "<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<bos>", "<eos>", "[CLS]"]
SPECIALS += [
    "[SEP]",
    "[MASK]",
    "<|im_",
    "_end|>",
    "<think>",
    "</think>",
    "<|user|>",
    "<|system|>\n",
    "<｜User｜>",
    "<｜",
]
SPECIALS += ["<start_of_turn>", "<|eot_id|>", "<|begin_of_text|>", "<unused99>", "<用户>", "<AI>", "<tool_call>"]
CODE = [
    "def f(x):\n    return x",
    "for (int i=0;i<n;++i)",
    "<div class='a'>",
    "x_1",
    "camelCase",
    "0xFF",
    "1e-5",
    "\t\treturn",
]
CODE += [
    "https://a.b/c?d=e&f",
    "a@b.co",
    "C:\\x",
    "$HOME",
    "--help",
    "#include",
    "/* */",
    "==",
    "!==",
    "=>",
    "&&",
    "%d",
]

FRAGMENTS = SPACES + MARKS + FORMATS + LETTERS + DIGITS + SYMBOLS + EMOJI + MARKERS + SPECIALS + CODE

scalars = st.characters(exclude_categories=("Cs",))


def runs(fragments: list[str] = FRAGMENTS, longest: int = 70) -> st.SearchStrategy[str]:
    """Return a strategy of one fragment repeated, often past the sizes at which algorithms switch."""
    sizes = st.one_of(st.integers(1, 4), st.integers(1, longest))
    return st.builds(lambda fragment, size: fragment * size, st.sampled_from(fragments), sizes)


def texts(extra: list[str] | None = None, max_parts: int = 12) -> st.SearchStrategy[str]:
    """Return a strategy of adversarial texts; `extra` are fragments of the tokenizer at hand."""
    kinds = [st.sampled_from(FRAGMENTS), runs(), scalars, st.text(scalars, max_size=6)]
    if extra:
        kinds.append(st.sampled_from(extra))
        kinds.append(st.builds(lambda t, cut: t[:cut], st.sampled_from(extra), st.integers(0, 8)))
    return st.lists(st.one_of(kinds), max_size=max_parts).map("".join)


def any_texts(extra: list[str] | None = None) -> st.SearchStrategy[str]:
    """Return a strategy of any `str`, lone surrogates included."""
    surrogates = st.text(st.characters(categories=("Cs",)), max_size=2)
    return st.builds(lambda a, s, b: a + s + b, texts(extra, 4), surrogates, texts(extra, 4))


# What stock readers get wrong whatever a file says: see docs/fidelity.md.
INCURABLE = {0x85, 0x2028, 0x2029, *range(1, 8)}


def curable(text: str) -> str:
    """Leave out of a text what no file can make the stock readers read right."""
    return "".join(c for c in text if ord(c) not in INCURABLE and category(c) != "Cn" and ord(c) < 0x10D40)[:400]
