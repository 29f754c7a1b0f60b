"""Texts to prove a file on: built in, the model's own prompts, its vocabulary, the user's."""

from __future__ import annotations

import json

from tokenizers_lite._record import Record
from tokenizers_lite.errors import SpecError, TokenizerError
from vocab_converters._binary import read_limited
from vocab_converters._facts import MARKER, is_byte_level, model_tokens
from vocab_converters.emulate._base import FROM_ALPHABET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from tokenizers_lite.spec import Spec

# Our own sentences, so that every class of text a phone meets is there even without a corpus.
BUILT_IN: dict[str, tuple[str, ...]] = {
    "english": (
        "Hello, world!",
        "It's 5 o'clock; we'll be there soon, I'm sure they've left. DON'T WAIT, YOU'RE LATE.",
        "  Two leading blanks,  double blanks inside, and trailing ones.  ",
        "The quick brown fox jumps over the lazy dog.\n\nA new paragraph follows, with a tab:\tthere.",
        "antidisestablishmentarianism co-operates re-entrantly; naïve café façade, coördinate",
        "",
        " ",
        "a",
    ),
    "chinese": (
        "你好，世界！今天天气怎么样？",
        "请用三句话介绍一下北京的历史，谢谢。",
        "機器學習是人工智慧的一個分支，它研究如何讓電腦從資料中學習。",
        "2024年6月1日，价格是￥1,299.00（含税）。",
        "中英混排 mixed text：用Python写一个for循环。",
    ),
    "scripts": (
        "こんにちは、世界。カタカナとひらがなと漢字。",
        "안녕하세요, 오늘 날씨가 어떻습니까? 서울특별시",
        "مرحبا بالعالم، كيف حالك اليوم؟ ١٢٣",
        "שלום עולם, מה שלומך היום?",
        "नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय हिन्दी",
        "สวัสดีชาวโลก วันนี้อากาศเป็นอย่างไร",
        "Xin chào thế giới, hôm nay bạn có khỏe không? Việc được giải quyết.",
        "Привет, мир! Как у тебя дела сегодня?",
        "Γειά σου Κόσμε, τι κάνεις σήμερα;",
        "வணக்கம் உலகம் ქართული ენა Հայերեն አማርኛ বাংলা ភាសាខ្មែរ",
        "Straße, GROẞ, İstanbul, ıraksak, Čeština, Łódź, Ångström",
    ),
    "emoji": (
        "Nice! 👍🏽 See you 🙂🎉",
        "Family: 👨‍👩‍👧‍👦, flag: 🇩🇪🏴󠁧󠁢󠁳󠁣󠁴󠁿, keycap 6️⃣, heart ❤️",
        "🚀🚀🚀 launch → done ✓ ✔️ ★☆",
    ),
    "code": (
        "def f(x_1, *args, **kwargs):\n    return {'a': x_1 ** 2}  # comment\n",
        "for (int i = 0; i < n; ++i) {\n\t\tsum += a[i] * b[i];\r\n\t}\r\n",
        "SELECT * FROM users WHERE id = 42 AND name LIKE '%o''brien%';",
        "<div class=\"row\"><a href='https://example.org/?q=1&r=a%20b#x_y'>link</a></div>",
        "snake_case camelCase SCREAMING_SNAKE __dunder__ $VAR ${x} && || != <= >= -> => ...",
        '{"key": [1, 2.5, -3e10, null, true], "n\\u00e4me": "\\\\"}',
    ),
    "numbers": (
        "1234567890 12 345 6789 3.14159 1,000,000 0x1F4A9 1e-9",
        "Tel. +49 (0)30 1234-5678, 10:45, 2026-08-20T12:00:00Z, 50%, 3/4, ½, x², Ⅳ, ٤٢, ๑๒",
    ),
    "white space": (
        "\n", "\n\n\n", "\t\t\tindent", "a\r\nb\r\n\r\nc", "   \n   \n", "end   ", "a \n b",
        "no-break\u00a0space, thin\u2009space, ideographic\u3000space, line\u2028separator, next\u0085line",
    ),
    "composition": (
        "cafe\u0301 re\u0301sume\u0301 A\u030angstro\u0308m o\u0302\u0301 \u1112\u1161\u11ab",
        "\u212b \u2126 \uf900 \u0958 \u0344",
    ),
    "odd": (
        "zero\u200bwidth\u200cjoin\u200der\ufeffbom\u2060word",
        "nul\x00in the middle and bell\x07 escape\x1b[0m del\x7f c1\x9f \x01\x02\x03",
        "\u2581 literal marker a\u2581b \u2581 c \u2581\u2581 Ġ Ċ <0x41> <0xE5>",
        "unassigned \u0378 \U000e0fff private \ue000 \U0010ffff replacement \ufffd",
        "q\u0307\u0323 \u0301start a\u0300\u0301\u0302\u0303\u0304",
        "mixed\u202edirection\u202c soft\u00adhyphen",
    ),
    "long": ("a" * 600, "文" * 600, "ab" * 300 + " " + "x y " * 200, " " * 300, "\n" * 200, "!" * 300),
}  # fmt: skip


class Case(Record):
    """One text and the class it counts in.

    `expected` are ids the user's file asks for, `special` tells whether the
    text is encoded with BOS and EOS (a rendered prompt brings its own).
    """

    kind: str
    text: str
    expected: tuple[int, ...] | None = None


def built_in() -> Iterator[Case]:
    """Yield the texts that come with the package."""
    for kind, texts in BUILT_IN.items():
        for text in texts:
            yield Case(kind, text)


def prompts(spec: Spec) -> Iterator[Case]:
    """Yield conversations rendered with the model's templates, and every kind of special token inside text."""
    for _, text in rendered(spec):
        yield Case("chat", text)
    for token in spec.added_tokens[:64]:
        content = token.content
        yield Case("template", f"{content}user\nHello {content}, how are you?{content}\n")
    seen = [token.content for token in spec.added_tokens[:8]]
    yield Case("template", "".join(seen) + " " + " ".join(seen) + "\n".join(["", *seen]))
    for content in seen:
        yield Case("template", f"{content[:-1]} {content[1:]} {content.upper()} {content}{content}")


CONVERSATIONS: tuple[list[dict[str, str]], ...] = (
    [{"role": "user", "content": "Who are you?"}],
    [
        {"role": "user", "content": "你好，请介绍一下自己。"},
        {"role": "assistant", "content": "我是一个语言模型。"},
        {"role": "user", "content": "  Thanks!\n\nNow in English, with code:\n```py\nprint(1)\n```"},
    ],
    [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "What is 12 + 34?"}],
)


def rendered(spec: Spec) -> Iterator[tuple[list[dict[str, str]], str]]:
    """Yield conversations with the text the default template makes of them; none without jinja2."""
    from datetime import datetime, timezone

    from tokenizers_lite.chat import render
    from tokenizers_lite.chat.with_tokenizer import special_tokens

    moment = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    for messages in CONVERSATIONS if spec.config.chat_templates else ():
        try:
            text = render(
                spec.config.chat_templates,
                messages,
                add_generation_prompt=True,
                special_tokens=special_tokens(spec.config),
                now=moment,
            )
        except TokenizerError:
            continue  # templates may refuse a system turn, and jinja2 may be missing
        yield messages, text


def vocabulary(spec: Spec) -> Iterator[Case]:
    """Yield every token as text, where it is whole characters."""
    byte_level = is_byte_level(spec)
    for token, _ in model_tokens(spec):
        if byte_level:
            try:
                yield Case("vocabulary", bytes(FROM_ALPHABET[char] for char in token).decode("utf-8"))
            except (KeyError, UnicodeDecodeError):
                continue
        else:
            yield Case("vocabulary", token.replace(MARKER, " "))
    for added in spec.added_tokens:
        yield Case("vocabulary", added.content)


def from_file(path: str) -> list[Case]:
    """Read the user's cases.

    Args:
        path: a .jsonl file with ``text`` or ``input`` and optionally ``ids``
            (MNN's test_cases.jsonl is one), or a text file, one case a line.

    Raises:
        SpecError: naming the line that cannot be read.
    """
    data = read_limited(path, 1 << 26)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError("a case file must be UTF-8", file=path, field=f"offset {error.start}") from None
    lines = text.split("\n")
    if not str(path).endswith(".jsonl"):
        return [Case("user", line.removesuffix("\r")) for line in lines if line]
    found = [_json_case(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]
    return [case for case in found if case is not None]


def _json_case(line: str, path: str, number: int) -> Case | None:
    """Read one line of a .jsonl file; None for MNN's chat cases, which hold no text to encode."""
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise SpecError(f"not JSON ({error})", file=path, field=f"line {number}") from None
    if isinstance(value, str):
        return Case("user", value)
    if not isinstance(value, dict):
        raise SpecError("a case is a string or an object", file=path, field=f"line {number}", value=value)
    if value.get("type") == "chat":
        return Case("user", value["formatted_text"]) if isinstance(value.get("formatted_text"), str) else None
    text = value.get("text", value.get("input"))
    if not isinstance(text, str):
        raise SpecError("a case needs 'text' or 'input'", file=path, field=f"line {number}", value=value)
    ids = value.get("ids")
    return Case("user", text, None if ids is None else tuple(ids))


def gather(spec: Spec, extra: str | None = None, *, whole_vocabulary: bool = True) -> list[Case]:
    """Return all cases for a spec, the user's last, each text once."""
    found = [*built_in(), *prompts(spec)]
    if whole_vocabulary:
        found += vocabulary(spec)
    if extra is not None:
        found += from_file(extra)
    seen: set[str] = set()
    unique = []
    for case in found:
        if case.text not in seen or case.kind == "user":
            seen.add(case.text)
            unique.append(case)
    return unique


def mnn_cases(
    spec: Spec, encode: Callable[[str, bool], Sequence[int]], decode: Callable[[Sequence[int]], str]
) -> Iterator[str]:
    """Yield the lines of a test_cases.jsonl for MNN's test_tokenizer.

    Args:
        spec: the tokenizer.
        encode: text and whether to add BOS and EOS -> ids, exact.
        decode: ids -> text without special tokens.
    """
    for case in built_in():
        if "\0" in case.text or not case.text:  # MNN's strings end at NUL, and it skips empty inputs
            continue
        raw, full = list(encode(case.text, False)), list(encode(case.text, True))
        line = {"type": "basic", "input": case.text, "ids_raw": raw, "ids_full": full, "decoded_full": decode(raw)}
        yield json.dumps(line, ensure_ascii=False)
    for number, (messages, text) in enumerate(rendered(spec)):
        chat: dict[str, Any] = {
            "type": "chat",
            "name": f"conversation {number + 1}",
            "messages": messages,
            "add_generation_prompt": True,
            "formatted_text": text,
        }
        yield json.dumps(chat, ensure_ascii=False)
