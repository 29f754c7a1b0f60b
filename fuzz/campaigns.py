"""Units of work: (campaign, seed) -> what was tried and what was found.

A unit is a few seconds of hunting that its campaign and seed determine, so a
hunt is a list of units, can be stopped and taken up, and any find can be
repeated. Campaigns: ``specs``, ``damaged`` (specs), ``text:<model>``,
``spm`` (trained) and
``spm:<model>``, ``cpp`` (specs) and ``cpp:<model>``, ``files:<reader>``,
``emulated:<model>``,
``chat``, ``state``.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, Any

from fuzz import laws, specs
from fuzz.known import known
from fuzz.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]
    Beat = Callable[[str], None]

SPECS_A_UNIT = 25


class Unit:
    """What one unit did: counts by name, and finds that may become regression cases."""

    def __init__(self, campaign: str, seed: int) -> None:
        self.campaign = campaign
        self.seed = seed
        self.counts: dict[str, int] = {}
        self.finds: list[Json] = []
        self._start = time.perf_counter()
        self._cpu = _cpu()

    def count(self, name: str, by: int = 1) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def find(self, case: Json, wrong: str) -> None:
        """Record a difference, as a known divergence or as a find."""
        name = known(wrong)
        if name:
            self.count(f"known: {name}")
            return
        self.count("mismatches")
        self.finds.append({"campaign": self.campaign, "seed": self.seed, **case, "wrong": wrong})

    def result(self) -> Json:
        """Return what is kept of the unit."""
        seconds = round(time.perf_counter() - self._start, 3)
        return {
            "campaign": self.campaign,
            "seed": self.seed,
            "seconds": seconds,
            "cpu": round(_cpu() - self._cpu, 3),
            "counts": self.counts,
            "finds": self.finds,
        }


def _cpu() -> float:
    """Return the processor time of this process and of those it has waited for."""
    return sum(os.times()[:4])


def run(campaign: str, seed: int, beat: Beat = lambda _: None) -> Json:
    """Do one unit; `beat` is told what is being done, for whoever waits."""
    unit = Unit(campaign, seed)
    kind, _, name = campaign.partition(":")
    rng = random.Random(f"{campaign} {seed}")
    if kind in ("specs", "damaged"):
        _hunt_specs(unit, rng, kind == "damaged", beat)
    elif kind == "text":
        from fuzz import models

        models.hunt(unit, rng, name, beat)
    elif kind == "emulated":
        from fuzz import emulated

        emulated.hunt(unit, rng, name, beat)
    elif kind == "cpp":
        from fuzz import native

        native.hunt(unit, rng, name, beat)
    elif kind == "files":
        from fuzz import files

        files.hunt(unit, rng, name, beat)
    elif kind == "chat":
        from fuzz import chats

        chats.hunt(unit, rng, beat)
    elif kind == "spm":
        from fuzz import spm

        spm.hunt(unit, rng, name, beat)
    elif kind == "state":
        from fuzz import state

        state.hunt(unit, rng, beat)
    else:
        raise ValueError(f"no campaign {campaign!r}")
    return unit.result()


# ---------------------------------------------------------------- specs


def _hunt_specs(unit: Unit, rng: random.Random, damaged: bool, beat: Beat) -> None:
    for number in range(SPECS_A_UNIT):
        state = rng.getrandbits(64)
        beat(f"spec {number} {state}")
        spec = made(state, damaged)
        unit.count("specs")
        try:
            subject, wrong = laws.load(spec)
        except laws.Panic:
            unit.count("oracle panicked")
            continue
        if wrong:
            unit.find({"law": "load", "spec": spec, "input": {}}, wrong)
        elif subject is None:
            unit.count("refused by both")
        else:
            unit.count("loaded by both")
            for law, given in inputs(subject, random.Random(state), number == 0):
                unit.count(f"law {law}")
                unit.count("texts", "text" in given)
                unit.count("characters", len(given.get("text", "")))
                if laws.check(subject, law, given):
                    _confirm(unit, spec, law, given)


def made(state: int, damaged: bool) -> Json:
    """Return the spec that a random state makes."""
    rng = random.Random(state)
    spec = specs.spec(rng)
    return specs.damage(rng, spec) if damaged else spec


def _confirm(unit: Unit, spec: Json, law: str, given: Json) -> None:
    wrong = laws.confirmed(spec, law, given)
    if wrong is None:
        unit.count("known: equal added tokens")
    else:
        unit.find({"law": law, "spec": spec, "input": given}, wrong)


def inputs(subject: laws.Subject, rng: random.Random, with_file: bool) -> Iterator[tuple[str, Json]]:
    """Yield (law, input) to try on a small tokenizer."""
    vocab = subject.ours.vocab()
    size = max(vocab.values(), default=0) + 3
    pieces = [token.replace("Ġ", " ") for token in vocab]
    source = Texts(rng, pieces, [token.content for token in subject.ours.spec.added_tokens])
    texts = [text[:300] for text in source.texts(12)]
    # A damaged file may have an id of four billion.
    yield "vocabulary", {"ids": [*range(min(size, 2000)), *(id_ for id_ in vocab.values() if id_ >= 2000)]}
    for text in texts:
        yield "encode", {"text": text, "add": rng.random() < 0.7}
    for text, pair in zip(texts[:4], texts[4:8], strict=True):
        yield "encode", {"text": text, "pair": pair, "add": rng.random() < 0.8}
        if subject.truncation or subject.padding:
            yield "cut", {"text": text, "pair": pair if rng.random() < 0.5 else None}
    for _ in range(5):
        ids = [rng.randrange(size) for _ in range(rng.randint(0, 12))]
        yield "decode", {"ids": ids, "skip": rng.random() < 0.5}
    for text in texts[:5]:
        mine = laws.ours(lambda text=text: subject.ours.encode(text))
        if mine[0] == "value":
            yield "decode", {"ids": mine[1], "skip": rng.random() < 0.5}
    for text in texts[:2]:
        yield "alone", {"text": text}
    yield "scalars", {"text": source.any_text()}
    for size in (1, 7):
        yield "seams", {"text": "".join(rng.sample(texts, 4)), "size": size, "window": rng.choice((1, 8, 40))}
    if with_file:
        yield "compact", {"texts": texts[:4]}


def known_campaigns(models: int | None = None, seed: int = 0) -> list[str]:
    """Return all campaigns that the files and tools at hand allow; with `models`, on so many models only."""
    from fuzz import chats, files, native_reader
    from fuzz.models import names

    rng = random.Random(seed)

    def some(found: list[str]) -> list[str]:
        return found if models is None else rng.sample(found, min(models, len(found)))

    made = ["specs", "damaged", *(f"text:{name}" for name in some(names()))]
    try:
        from fuzz import spm

        made += ["spm", *(f"spm:{name}" for name in some(spm.names()))]
    except ImportError:
        pass
    made += [f"emulated:{name}" for name in some(names())]
    if os.environ.get(chats.PYTHON) and chats.templates():
        made.append("chat")
    readers = list(files.READERS)
    if native_reader.compiler():
        made += ["cpp", *(f"cpp:{name}" for name in some(names()))]
        readers.append("cpp")
    return [*made, *(f"files:{name}" for name in readers), "state"]


os.environ.setdefault("RAYON_NUM_THREADS", "1")
