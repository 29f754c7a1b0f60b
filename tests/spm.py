"""Sentencepiece models for tests: trained on the spot, or put together field by field."""

import io
import struct
from functools import lru_cache

import pytest
from hypothesis import strategies as st

from tests.strategies import FRAGMENTS

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and the dog does not mind.",
    "She sells sea shells by the sea shore; the shells she sells are surely seashells.",
    "There were 12 of them in 1999, or perhaps 1,234: nobody counted (not even she).",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Straße, Größe.",
    "Être ou ne pas être, voilà la question; c'est ça, où et pourquoi déjà.",
    "天地玄黄 宇宙洪荒 日月盈昃 辰宿列张 寒来暑往 秋收冬藏",
    "いろはにほへと ちりぬるを わかよたれそ つねならむ カタカナ ガギグゲゴ",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "def f(x):    return x + 1  # comment  with  blanks",
]


def oracle():
    """Return the sentencepiece module; versions before 0.2.3 score user-defined pieces differently."""
    return pytest.importorskip(
        "sentencepiece", minversion="0.2.3", reason="the oracle: pip install sentencepiece==0.2.3"
    )


@lru_cache
def train(**options) -> bytes:
    """Train a small model with sentencepiece's trainer."""
    sentencepiece = oracle()
    model = io.BytesIO()
    defaults = {"vocab_size": 500, "character_coverage": 0.98, "hard_vocab_limit": False, "max_sentence_length": 4000}
    parts = [fragment for fragment in FRAGMENTS if "\0" not in fragment]
    lines = SENTENCES * 3 + [" ".join(parts[at : at + 8]) for at in range(0, len(parts), 8)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        minloglevel=2,
        num_threads=1,
        **{**defaults, **options},
    )
    return model.getvalue()


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def message(number: int, content: bytes | str) -> bytes:
    """Write a field of bytes."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def integer(number: int, value: int) -> bytes:
    """Write a field of a number."""
    return varint(number << 3) + varint(value)


def piece(text, score=None, kind=None) -> bytes:
    """Write one piece of a model."""
    content = message(1, text)
    if score is not None:
        content += varint(2 << 3 | 5) + struct.pack("<f", score)
    if kind is not None:
        content += integer(3, kind)
    return message(1, content)


def rules(charsmap=None, dummy=None, squeeze=None, escape=None) -> bytes:
    """Write a NormalizerSpec; what is None is left out."""
    content = b"" if charsmap is None else message(2, charsmap)
    return content + b"".join(integer(n, v) for n, v in ((3, dummy), (4, squeeze), (5, escape)) if v is not None)


def model(pieces, kind: int, *, fallback=None, suffix=None, surface=None, normalizer=b"", denormalizer=None) -> bytes:
    """Write a ModelProto: kind 1 unigram, 2 bpe, 3 word, 4 char."""
    trainer = integer(3, kind)
    trainer += b"" if fallback is None else integer(35, fallback)
    trainer += b"" if suffix is None else integer(24, suffix)
    trainer += b"" if surface is None else message(44, surface)
    parts = [piece(*each) for each in pieces] + [message(2, trainer), message(3, normalizer)]
    return b"".join(parts) + (b"" if denormalizer is None else message(5, denormalizer))


def compiled(rules):
    """Compile rules into a character map; each node of the trie gets 256 units of its own."""
    nodes = [{}]
    for key, value in rules.items():
        node = nodes[0]
        for byte in key.encode():
            if byte not in node:
                node[byte] = {}
                nodes.append(node[byte])
            node = node[byte]
        node[None] = value
    bases = {id(node): 256 * at for at, node in enumerate(nodes, 1)}
    # Unused units say 255 and lead to themselves' neighbours: in the array, and on no key's way.
    units = [0xFF | 1 << 10] * (256 * (len(nodes) + 1))
    units[0] = 256 << 10
    block = b"\0"
    for node in nodes:
        base = bases[id(node)]
        for byte, child in node.items():
            if byte is None:
                units[base] = 1 << 31 | len(block)
                block += child.encode() + b"\0"
            else:
                index = base ^ byte
                units[index] = (index ^ bases[id(child)]) << 10 | (0x100 if None in child else 0) | byte
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + block


BYTES = [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
ALPHABET = "aab ▁é"

_scores = st.one_of(
    st.integers(-5, 0).map(float), st.sampled_from([0.0, -0.0, -1.0]), st.floats(-1e6, 1e3, width=32), st.just(1e30)
)
_kinds = st.sampled_from([1] * 8 + [4, 5, 5, 3])
_texts = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=5)
_flags = st.sampled_from([None, False, True])


@st.composite
def models(draw, charsmaps=(None,)) -> bytes:
    """Draw models nobody would train: equal and huge scores, unused and user-defined pieces of any text."""
    texts = draw(st.lists(_texts, max_size=24, unique=True))
    pieces = [(text, draw(_scores), draw(_kinds)) for text in texts]
    fallback = draw(st.booleans())
    pieces += draw(st.permutations([("<unk>", 0.0, 2), ("<s>", 0.0, 3)]))
    if fallback:
        pieces += BYTES
    normalizer = st.builds(rules, st.sampled_from(charsmaps), _flags, _flags, _flags)
    return model(
        pieces,
        draw(st.sampled_from([1, 1, 2, 2, 2, 3, 4])),
        fallback=fallback,
        suffix=draw(_flags),
        surface=draw(st.sampled_from([None, None, "", "?", " ▁"])),
        normalizer=draw(normalizer),
        denormalizer=draw(st.one_of(st.none(), normalizer)),
    )
