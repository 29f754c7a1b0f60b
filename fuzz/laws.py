"""The laws: what must be equal, as functions of a subject and an input that tell the difference.

A law takes a `Subject` (one tokenizer, ours and theirs) and an input (plain
JSON values, so that it can be kept in a file and made smaller) and returns what
is wrong, or None. A law that the oracle cannot judge (it panics) holds.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Any

from tokenizers_lite import errors
from tokenizers_lite.formats import hf_json, read
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    Input = dict[str, Any]
    Law = Callable[["Subject", Input], "str | None"]

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the hunt is parallel in processes
import tokenizers

PINNED = "0.23.3"


class Panic(Exception):  # noqa: N818 - an outcome
    """The oracle panicked: there is nothing to compare with."""


def theirs(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return ("value", what the oracle gives) or ("refused", its message); a panic raises `Panic`."""
    try:
        return "value", call()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as err:
        return "refused", str(err)
    except BaseException as err:
        raise Panic(str(err)) from None


def ours(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return ("value", what we give), ("refused", message) or, for an error of no type of ours, ("crashed", ...)."""
    try:
        return "value", call()
    except errors.TokenizerError as err:
        return "refused", str(err)
    except Exception as err:
        return "crashed", f"{type(err).__name__}: {err}"


class Subject:
    """One tokenizer, loaded by both; `name` is the model's, or empty for a spec made up."""

    def __init__(self, mine: Tokenizer, oracle: tokenizers.Tokenizer, name: str = "") -> None:
        self.ours = mine
        self.oracle = oracle
        self.name = name
        self.truncation = oracle.truncation
        self.padding = oracle.padding
        counts = Counter(oracle.get_vocab().values())
        self.shared = frozenset(id_ for id_, count in counts.items() if count > 1)  # see `known`, "shared id"
        oracle.no_truncation()
        oracle.no_padding()

    @classmethod
    def of_file(cls, path: str, name: str) -> Subject:
        """Load a tokenizer.json."""
        return cls(Tokenizer(read(path), name), tokenizers.Tokenizer.from_file(path), name)

    @classmethod
    def of_spec(cls, spec: Any) -> Subject:
        """Load a spec that both accept."""
        text = json.dumps(spec)
        return cls(Tokenizer(hf_json.parse(text.encode())), tokenizers.Tokenizer.from_str(text))


def _differs(mine: tuple[str, Any], expected: tuple[str, Any], what: str) -> str | None:
    if mine[0] == expected[0] and (mine[0] == "refused" or mine[1] == expected[1]):
        return None
    return f"{what}: ours {_short(mine)}, theirs {_short(expected)}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 300 else shown[:300] + "..."


COLUMNS = ("ids", "tokens", "offsets", "word_ids", "type_ids", "sequence_ids", "special_tokens_mask", "attention_mask")


def encode(subject: Subject, given: Input) -> str | None:
    """Encoding a text, or a pair, gives the same columns."""
    text, pair, add = given["text"], given.get("pair"), given.get("add", True)
    expected = theirs(lambda: subject.oracle.encode(text, pair, add_special_tokens=add))
    mine = ours(lambda: subject.ours.encode_with_offsets(text, pair, add_special_tokens=add))
    if mine[0] != "value" or expected[0] != "value":
        return _differs(mine, expected, "encode")
    if pair is None:
        plain = ours(lambda: subject.ours.encode(text, add_special_tokens=add))
        if plain != ("value", expected[1].ids):
            return _differs(plain, ("value", expected[1].ids), "ids of encode()")
    for column in COLUMNS:
        a, b = list(getattr(mine[1], column)), list(getattr(expected[1], column))
        if a != b:
            which = "shared id: " if column == "tokens" and not subject.shared.isdisjoint(expected[1].ids) else ""
            return _differs(("value", a), ("value", b), f"{which}{column}")
    return None


def decode(subject: Subject, given: Input) -> str | None:
    """Decoding ids gives the same text, at once and streamed."""
    ids, skip = given["ids"], given.get("skip", True)
    expected = theirs(lambda: subject.oracle.decode(ids, skip_special_tokens=skip))
    mine = ours(lambda: subject.ours.decode(ids, skip_special_tokens=skip))
    wrong = _differs(mine, expected, "decode" if subject.shared.isdisjoint(ids) else "shared id: decode")
    if wrong or mine[0] != "value":
        return wrong
    stream = subject.ours.stream(skip_special_tokens=skip)
    streamed = ours(lambda: "".join(map(stream.push, ids)) + stream.finish())
    return _differs(streamed, mine, "stream against decode")


def cut(subject: Subject, given: Input) -> str | None:
    """The file's truncation and padding, applied on request, give the same columns."""
    oracle, spec = subject.oracle, subject.ours.spec
    text, pair = given["text"], given.get("pair")
    try:
        if subject.truncation:
            oracle.enable_truncation(**subject.truncation)
        if subject.padding:
            oracle.enable_padding(**subject.padding)
        expected = theirs(lambda: oracle.encode(text, pair))
    except Panic:
        raise
    except Exception:
        return None
    finally:
        oracle.no_truncation()
        oracle.no_padding()
    mine = ours(lambda: subject.ours.encode_with_offsets(text, pair, truncation=spec.truncation, padding=spec.padding))
    if mine[0] != "value" or expected[0] != "value":
        return _differs(mine, expected, "truncation")
    return _same_parts(mine[1], expected[1], "truncation")


def _same_parts(mine: Any, expected: Any, what: str) -> str | None:
    """Compare encodings and what overflowed."""
    for column in COLUMNS:
        a, b = list(getattr(mine, column)), list(getattr(expected, column))
        if a != b:
            return _differs(("value", a), ("value", b), f"{what}, {column}")
    if len(mine.overflowing) != len(expected.overflowing):
        sizes = ("value", len(mine.overflowing)), ("value", len(expected.overflowing))
        return _differs(*sizes, f"{what}, number of overflowing parts")
    for a, b in zip(mine.overflowing, expected.overflowing, strict=True):
        if wrong := _same_parts(a, b, f"{what}, overflowing"):
            return wrong
    return None


def alone(subject: Subject, given: Input) -> str | None:
    """Count is the length of encode, a batch is a map, and truncate gives a prefix within its bound."""
    tokenizer, text = subject.ours, given["text"]
    ids = ours(lambda: tokenizer.encode(text))
    if ids[0] != "value":
        return None if ids[0] == "refused" else f"encode {ids}"
    size = len(ids[1])
    if tokenizer.count(text) != size:
        return f"count {tokenizer.count(text)} is not the {size} of encode"
    if tokenizer.encode_batch([text, "", text]) != [ids[1], tokenizer.encode(""), ids[1]]:
        return "encode_batch is not encode of each"
    plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for limit in {0, 1, size // 2, size - 1, size} - {-1}:
        prefix = ours(lambda limit=limit: tokenizer.truncate(text, limit))
        if prefix[0] == "refused":  # the text cut short may need an unknown token that is not there
            continue
        if prefix[0] != "value" or not plain.startswith(prefix[1]):
            return f"truncate to {limit}: {_short(prefix)}"
        if prefix[1] and tokenizer.count(prefix[1]) > limit:
            return f"truncate to {limit}: {tokenizer.count(prefix[1])} tokens"
        if limit == size and prefix[1] != plain:
            return f"truncate to {limit}, its size, drops text"
    return None


def scalars(subject: Subject, given: Input) -> str | None:
    """Any `str` is read, and lone surrogates are read as U+FFFD."""
    text = given["text"]
    plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for name in ("encode", "encode_with_offsets"):
        mine = ours(lambda name=name: getattr(subject.ours, name)(text))
        other = ours(lambda name=name: getattr(subject.ours, name)(plain))
        if mine != other:
            return _differs(mine, other, f"{name} of surrogates")
    return None


def seams(subject: Subject, given: Input) -> str | None:
    """A text that comes in parts gives the ids of the whole, however small the parts and the window are."""
    from tokenizers_lite.files import encode_stream

    text, size = given["text"], given["size"]
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    whole = ours(lambda: subject.ours.encode(text))
    if whole[0] != "value":
        return None
    window = given.get("window", size)
    streamed = ours(lambda: [id_ for ids in encode_stream(subject.ours, parts, window=window) for id_ in ids])
    return _differs(streamed, whole, "encode_stream against encode")


def compact(subject: Subject, given: Input) -> str | None:
    """A compact file holds the whole spec, and encodes as it did."""
    from vocab_converters.compact import write

    spec, texts = subject.ours.spec, given["texts"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.tokc")
        done = ours(lambda: write(spec, path))
        if done[0] != "value":
            return f"writing the compact file {done}"
        back = ours(lambda: read(path))
        if back[0] != "value":
            return f"reading the compact file {back}"
        from tokenizers_lite.formats.compact import open_quick

        again = Tokenizer(*_named(open_quick(path)))
        whole = Tokenizer(back[1])
        for text in texts:
            expected = ours(lambda text=text: subject.ours.encode(text))
            for which, tokenizer in (("quick", again), ("whole", whole)):
                mine = ours(lambda text=text, tokenizer=tokenizer: tokenizer.encode(text))
                if mine[0] != expected[0] or (mine[0] == "value" and mine[1] != expected[1]):
                    return _differs(mine, expected, f"{which} reading of a compact file, {text!r}")
                if mine[0] == "value" and tokenizer.decode(mine[1]) != subject.ours.decode(mine[1]):
                    return f"{which} reading of a compact file decodes {mine[1]} otherwise"
    return None


def _named(opened: tuple[Any, Any]) -> tuple[Any, str, Any]:
    return opened[0], "", opened[1]


def vocabulary(subject: Subject, given: Input) -> str | None:
    """Sizes, tokens of ids and ids of tokens are the same."""
    mine, oracle = subject.ours, subject.oracle
    expected = oracle.get_vocab()
    if not subject.shared:
        if mine.vocab() != expected:
            odd = sorted(set(mine.vocab().items()) ^ set(expected.items()))
            return f"vocabularies differ: {_short(odd)}"
        if mine.vocab_size != oracle.get_vocab_size():
            return f"sizes: ours {mine.vocab_size}, theirs {oracle.get_vocab_size()}"
    for id_ in given["ids"]:
        token = oracle.id_to_token(id_)
        found = ours(lambda id_=id_: mine.id_to_token(id_))
        if id_ not in subject.shared and found != ("value", token) and (token is not None or found[0] != "refused"):
            return f"token of {id_}: ours {found}, theirs {token!r}"
    return None


LAWS: dict[str, Law] = {
    "encode": encode,
    "decode": decode,
    "cut": cut,
    "alone": alone,
    "scalars": scalars,
    "seams": seams,
    "compact": compact,
    "vocabulary": vocabulary,
}


def check(subject: Subject, law: str, given: Input) -> str | None:
    """Return what is wrong, None if the law holds or the oracle has nothing to say."""
    try:
        return LAWS[law](subject, given)
    except Panic:
        return None


def load(spec: Any) -> tuple[Subject | None, str | None]:
    """Load a spec with both: (subject if both accept, what is wrong if only one does).

    Raises:
        Panic: the oracle panicked.
    """
    text = json.dumps(spec)
    expected = theirs(lambda: tokenizers.Tokenizer.from_str(text))
    mine = ours(lambda: Tokenizer(hf_json.parse(text.encode())))
    if mine[0] == "crashed":
        return None, f"reading crashed: {mine[1]}"
    if expected[0] != mine[0]:
        said = mine[1] if mine[0] == "refused" else expected[1]
        return None, f"{'we' if mine[0] == 'refused' else 'they'} refuse: {_short(said)}"
    if mine[0] == "refused":
        return None, None
    subject = Subject(mine[1], expected[1])
    times = Counter(token["content"] for token in spec.get("added_tokens") or ())
    repeated = {expected[1].token_to_id(content) for content, count in times.items() if count > 1}
    subject.shared |= repeated - {None}
    return subject, None


def confirmed(spec: Any, law: str, given: Input, tries: int = 40) -> str | None:
    """Load a spec anew several times; return what is wrong if it is the same each time.

    tokenizers keeps some things in hash maps that are ordered differently each
    time: of added tokens that normalize to one text, any may win. What it does
    only sometimes is nothing to be equal to.
    """
    found = set()
    for _ in range(tries):
        try:
            subject, wrong = load(spec)
        except Panic:
            return None
        if subject is not None:
            wrong = check(subject, law, given)
        found.add(wrong)
        if wrong is None or len(found) > 1:
            return None
    return found.pop()
