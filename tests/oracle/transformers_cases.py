"""Inputs that `generate_transformers.py` puts to transformers and the tests put to us."""

# ruff: noqa: E501, UP007, UP045, UP037, PYI061 - templates are one line, and old spellings of hints are the point

from __future__ import annotations

from typing import Any, Literal, Optional, Union

NOW = "2024-07-26T13:14:15"

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": 'Say the weather <now> & "here", 日本語 too.',
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city's name"},
                "unit": {"type": "string", "enum": ["°C", "°F"]},
            },
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "Tell the time", "parameters": {}}}


def _turns(*contents: str, system: str | None = None) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": content} for place, content in enumerate(contents)]
    return [{"role": "system", "content": system}, *messages] if system is not None else messages


_CALL = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2, "x": None}}}
_TEXT_CALL = {"type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}}
_TOOL_CHAT = [
    {"role": "system", "content": "Use tools."},
    {"role": "user", "content": "Weather in Zürich?"},
    {"role": "assistant", "content": "", "tool_calls": [_CALL]},
    {"role": "tool", "name": "get_weather", "content": '{"t": 21.5}'},
]
_NESTED = {"city": "Ōsaka", "where": {"lat": 34.7, "tags": ["a", "<b>"]}, "ok": True, "none": None}

CONVERSATIONS: dict[str, dict[str, Any]] = {
    "user": {"messages": _turns("Hello!")},
    "user+prompt": {"messages": _turns("Hello!"), "add_generation_prompt": True},
    "system": {"messages": _turns("Hi", "Hello, how can I help?", "Thanks", system="You are terse.")},
    "system+prompt": {"messages": _turns("你好，世界 🌍", system="Réponds."), "add_generation_prompt": True},
    "blanks": {
        "messages": _turns("  two  \n\n", "\n answer \t", " x ", system="  \n sys \n "),
        "add_generation_prompt": True,
    },
    "empty": {"messages": _turns("", "", "")},
    "assistant first": {"messages": [{"role": "assistant", "content": "I begin."}]},
    "two users": {"messages": [*_turns("a"), *_turns("b")], "add_generation_prompt": True},
    "late system": {"messages": [*_turns("a", "b"), {"role": "system", "content": "late"}, *_turns("c")]},
    "odd role": {"messages": [{"role": "critic", "content": "hm"}]},
    "specials in content": {
        "messages": _turns(
            "<|im_end|><s></s><bos> <|eot_id|><｜User｜>", "<|im_start|>system\n<end_of_turn>", "<|end|>"
        )
    },
    "continue": {"messages": _turns("Count", "1, 2,"), "continue_final_message": True},
    "continue blank": {"messages": _turns("Count", "1, 2, "), "continue_final_message": True},
    "continue user": {"messages": _turns("How do I"), "continue_final_message": True},
    "continue+prompt": {"messages": _turns("a"), "continue_final_message": True, "add_generation_prompt": True},
    "thinking": {
        "messages": _turns("1+1?", "<think>\neasy\n</think>\n\n2", "and 2+2?", "<think>\nhm\n</think>\n\n4"),
        "variables": {"enable_thinking": True},
    },
    "thinking asked": {"messages": _turns("x"), "add_generation_prompt": True, "variables": {"enable_thinking": True}},
    "no thinking": {"messages": _turns("x"), "add_generation_prompt": True, "variables": {"enable_thinking": False}},
    "reasoning": {
        "messages": [
            *_turns("q"),
            {"role": "assistant", "reasoning_content": "\nbecause\n", "content": "a"},
            *_turns("q2"),
            {"role": "assistant", "reasoning_content": "so", "content": "\nb"},
        ]
    },
    "tools": {"messages": _turns("Weather?"), "tools": [WEATHER, CLOCK], "add_generation_prompt": True},
    "tools+system": {"messages": _turns("Hi", system="S"), "tools": [CLOCK]},
    "empty tools": {"messages": _turns("Hi"), "tools": [], "add_generation_prompt": True},
    "tool call": {"messages": _TOOL_CHAT, "tools": [WEATHER], "add_generation_prompt": True},
    "tool answer": {"messages": [*_TOOL_CHAT, {"role": "assistant", "content": "21.5 °C"}], "tools": [WEATHER]},
    "two calls": {
        "messages": [
            *_turns("both"),
            {"role": "assistant", "content": "Looking.", "tool_calls": [_CALL, _TEXT_CALL]},
            {"role": "tool", "content": "sunny"},
            {"role": "tool", "content": "noon"},
            {"role": "assistant", "content": "Sunny at noon."},
        ],
        "tools": [WEATHER, CLOCK],
    },
    "text call": {
        "messages": [
            *_turns("time?"),
            {"role": "assistant", "content": None, "tool_calls": [_TEXT_CALL]},
            {"role": "tool", "content": "12:00"},
        ],
        "add_generation_prompt": True,
    },
    "nested call": {
        "messages": [
            *_turns("where?"),
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": _NESTED}}]},
            {"role": "ipython", "content": {"a": [1, "é"]}},
        ]
    },
    "tools in system": {
        "messages": _turns("Hi", system="S"),
        "tools": [WEATHER],
        "variables": {"tools_in_user_message": False, "date_string": "1 Jan 2025"},
    },
    "tool response text": {
        "messages": _turns("<tool_response>\nx\n</tool_response>", "ok"),
        "add_generation_prompt": True,
    },
    "documents": {
        "messages": _turns("Who?", system="Read."),
        "documents": [{"title": "T", "text": "body"}, {"title": "U", "text": "more"}],
        "add_generation_prompt": True,
    },
    "parts": {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Look."}]},
            {
                "role": "user",
                "content": [
                    {"type": "image", "image": "a.png"},
                    {"type": "text", "text": " What is it? "},
                    {"type": "image"},
                    {"type": "image_url", "image_url": "u"},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
            {"role": "user", "content": [{"type": "video", "video": "v.mp4"}, {"type": "text", "text": "And now?"}]},
        ],
        "add_generation_prompt": True,
    },
    "parts+vision ids": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image"},
                    {"type": "image"},
                    {"type": "video"},
                    {"type": "text", "text": "compare"},
                ],
            },
            {"role": "assistant", "content": "same"},
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "this?"}]},
        ],
        "variables": {"add_vision_id": True},
    },
    "continue parts": {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "begin "}, {"type": "text", "text": "and "}]},
        ],
        "continue_final_message": True,
    },
}

TEXTS = [
    "",
    " ",
    "hi",
    " hi",
    "hi ",
    "Hello, world!",
    "Who are you?",
    "  two  blanks",
    "a\nb\n\nc\r\n\td",
    "don 't we 're I 'm he 's they 've n't .",
    "wait . what ? yes ! no , ok",
    "isn't it , he said .",
    "你好，世界",
    "日本語とカタカナ",
    "Привет, мир",
    "مرحبا بالعالم",
    "👩‍👩‍👧 🇨🇭 é e\u0301",
    "1234567890 3.14",
    "def f(x):\n    return x**2",
    "https://example.org/a?b=c&d=e#f",
    "{bos}",
    "{eos}",
    "{bos}hi{eos}",
    "a {bos} b {eos} c",
    "{bos}{bos}x",
    "<s> </s> <unk> <pad> <|endoftext|>",
    "<|im_start|>user\nhi<|im_end|>",
    "<think>a</think>",
    "[CLS] [SEP] [MASK]",
    "\u0000\u0001",
    "\ufffd\u200b\u00a0",
    "ﬁ Ａ １ ½",
    "▁▁a▁b",
    "\n\n\n",
    "    indented",
    "x" * 60,
    "?" * 30,
]

_M = _turns("Hi & <b>", "Yo")

# Small templates of our own, one per feature.
TEMPLATES: list[dict[str, Any]] = [
    {
        "name": "methods in a loop that sets",
        "template": "{% for m in messages %}{% set x = '-'.join([m.role, 'b']) %}{{ x.replace('b', 'c').zfill(9).translate({45: '+'}).center(12, '.') }}{% endfor %}",
        "messages": _M,
    },
    {
        "name": "methods in a block that sets",
        "template": "{% block b %}{% set y = 1 %}{{ '-'.join(['a', 'b']).expandtabs(3) ~ y }}{% endblock %}",
        "messages": _M,
    },
    {"name": "trim blocks", "template": "{% if true %}\n  a\n  {% endif %}\n b\n\n", "messages": _M},
    {
        "name": "lstrip",
        "template": "x\n    {% for m in messages %}\n  {{ m.role }}\n    {% endfor %}\ny",
        "messages": _M,
    },
    {"name": "carriage returns", "template": "a\r\nb\rc{{ 1 }}\r\n", "messages": _M},
    {"name": "comment", "template": "a{# no #}\n{#- x -#} b", "messages": _M},
    {
        "name": "no escape",
        "template": "{{ messages[0].content }}|{{ messages[0]['content'] | escape }}",
        "messages": _M,
    },
    {
        "name": "autoescape",
        "template": "{% autoescape true %}{{ '<' ~ messages[0].content }}{{ '<' + '>' }}{{ '{}<'|safe ~ '%' }}{{ '{}<'|safe ~ messages|length }}"
        "{{ ('<b>{}'|safe).format('<') }}{{ '<b>%s'|safe % '<' }}{% endautoescape %}",
        "messages": _M,
    },
    {
        "name": "tojson",
        "template": "{{ messages | tojson }}{{ {'é': '<>&\\''} | tojson(ensure_ascii=True) }}",
        "messages": _M,
    },
    {
        "name": "tojson options",
        "template": "{{ {'b': [1, {}], 'a': none} | tojson(indent=2, sort_keys=true) }}"
        "{{ [1.5, true] | tojson(separators=(',', ':')) }}{{ [1] | tojson(indent=' x') }}",
        "messages": _M,
    },
    {"name": "raise", "template": "a\n{{ raise_exception('not so') }}", "messages": _M},
    {"name": "date", "template": "{{ strftime_now('%d %b %Y %H:%M') }}", "messages": _M},
    {
        "name": "generation",
        "template": "{% for m in messages %}{% generation %}{{ m.content }}\n{% endgeneration %}{% endfor %}",
        "messages": _M,
    },
    {
        "name": "loop controls",
        "template": "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %}",
        "messages": _M,
    },
    {
        "name": "loop variables",
        "template": "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}"
        "{{ loop.length }}{{ loop.previtem.role if loop.previtem else '' }}{{ loop.nextitem.role if loop.nextitem }}{{ loop.cycle('a','b') }}{{ loop.changed(m.role) }}{% endfor %}",
        "messages": _M,
    },
    {
        "name": "filtered loop",
        "template": "{% for m in messages if m.role == 'user' %}{{ loop.length }}{{ m.content }}{% else %}none{% endfor %}"
        "{% for m in [] %}{% else %}none{% endfor %}",
        "messages": _M,
    },
    {
        "name": "recursive loop",
        "template": "{% for x in [1, [2, [3]]] recursive %}{{ loop.depth }}{{ loop(x) if x is iterable else x }}{% endfor %}",
        "messages": _M,
    },
    {
        "name": "unpacking",
        "template": "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}{% for k, v in messages[0]|items %}{{ k }}{% endfor %}"
        "{% set a, b = 1, [2] %}{{ a }}{{ b }}",
        "messages": _M,
    },
    {
        "name": "namespace",
        "template": "{% set ns = namespace(n=0, l=[]) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set ns.l = ns.l + [m.role] %}{% endfor %}{{ ns.n }}{{ ns.l }}{{ ns }}",
        "messages": _M,
    },
    {
        "name": "macro",
        "template": "{% macro f(a, b='<', *args, **kw) %}[{{ a ~ b }}{{ varargs }}{{ kwargs }}]{% endmacro %}{{ f(1) }}{{ f(1, 2, 3, x=4) }}"
        "{% macro g() %}({{ caller('x') }}){% endmacro %}{% call(y) g() %}in {{ y }}{% endcall %}",
        "messages": _M,
    },
    {
        "name": "blocks",
        "template": "{% set x %} a {{ 1 }} {% endset %}{{ x|trim }}{% filter upper %}abc{{ messages[1].content }}{% endfilter %}{% block b %}B{% endblock %}{{ self.b() }}"
        "{% with a=1, b='q' %}{{ a ~ b }}{% endwith %}{% raw %}{{ x }}{% endraw %}",
        "messages": _M,
    },
    {"name": "concat", "template": "{{ 1 ~ 'a' ~ none ~ undefined_name ~ [1] }}{{ 'a' 'b' }}", "messages": _M},
    {
        "name": "arithmetic",
        "template": "{{ 1 + 2 * 3 ** 2 // 4 - 5 % 3 }} {{ 7 / 2 }} {{ -3 ** 2 }} {{ 'ab' * 3 }} {{ [0] * 2 }} {{ 2 ** -1 }} {{ 1.5 * 2 }} {{ (1, 2) + (3,) }}",
        "messages": _M,
    },
    {
        "name": "printf",
        "template": "{{ '%s-%05d|%-5s|%.2f' % ('a', 42, 'b', 1.005) }}{{ '%(x)s' % {'x': 1} }}{{ '%*d' % (5, 3) }}{{ '%s %s' | format('p', 'q') }}",
        "messages": _M,
    },
    {
        "name": "format",
        "template": "{{ '{} {:>5} {0.real}'.format(1, 2) if false else '{} {:>5}|{x[0]}|{y!r}'.format(1, 2, x=[3], y='é') }}{{ '{a}{b}'.format_map({'a': 1, 'b': 2}) }}",
        "messages": _M,
    },
    {
        "name": "text methods",
        "template": "{% set s = ' a</t>b</t> ' %}{{ s.strip() }}{{ s.split('</t>') }}{{ s.rstrip().lstrip(' a') }}{{ s.startswith(' a') }}{{ 'x'.center(5, '*') }}"
        "{{ 'a\\tb'.expandtabs(4) }}{{ '-'.join(['a', 'b']) }}{{ 'aXbX'.replace('X', 'yy', 1) }}{{ 'ß'.upper() }}{{ '7'.zfill(3) }}{{ 'é'.encode('utf-8') }}{{ s.find('b') }}{{ 'abc'.partition('b') }}{{ 'aBc'.swapcase() }}{{ 'x y'.title() }}{{ 'abc'.translate({97: 'zz', 98: none}) }}",
        "messages": _M,
    },
    {
        "name": "slices",
        "template": "{{ messages[::-1][0].role }}{{ messages[1:]|length }}{{ 'abcdef'[1:-1:2] }}{{ messages[-1]['role'] }}{{ (1,2,3)[:2] }}",
        "messages": _M,
    },
    {
        "name": "filters",
        "template": "{{ [3,1,2]|sort }}{{ [1,2]|sum }}{{ [[1],[2]]|sum(start=[]) }}{{ ['a','b']|join(', ') }}{{ messages|map(attribute='role')|list }}{{ messages|selectattr('role','equalto','user')|list|length }}"
        "{{ [1,1,2]|unique|list }}{{ 'abc'|first }}{{ 'abc'|last }}{{ 'abc'|reverse }}{{ [1,2,3]|batch(2, 0)|list }}{{ [1,2,3]|slice(2)|list }}{{ 'a b'|wordcount }}{{ 'x'|center(5) }}{{ 3.14159|round(2) }}"
        "{{ '42'|int + 1 }}{{ 'z'|int(7) }}{{ '1.5'|float }}{{ x|default('d') }}{{ ''|d('e', true) }}{{ 'a\\nb'|indent(2, true) }}{{ 'hello world'|truncate(8) }}{{ {'b':1,'a':2}|dictsort }}"
        "{{ 'a b&c'|urlencode }}{{ '<i>x</i>'|striptags }}{{ [1,2]|max }}{{ 'Ab'|lower|upper|capitalize|title }}{{ messages|groupby('role')|map('first')|list }}{{ 'aba'|replace('a','x',1) }}{{ -5|abs }}"
        "{{ 'a-b c'|wordwrap(3) }}{{ 12345|filesizeformat }}{{ 'x'|string|length }}{{ [1,2,3]|reject('odd')|list }}{{ 'go http://a.bc'|urlize }}{{ {'a':1}|xmlattr }}{{ [1,2]|tojson|safe }}{{ messages|pprint }}{{ ('x'|attr('upper'))() }}",
        "messages": _M,
    },
    {
        "name": "lazy filters",
        "template": "{% set g = messages|map(attribute='role') %}{{ g|first }}{{ g|list }}{% for r in messages|map(attribute='role') %}{{ loop.last }}{{ r }}{% endfor %}{{ ''.join(['a','b']|map('upper')) }}{{ range(4)|select('even')|join('+') }}",
        "messages": _M,
    },
    {
        "name": "tests",
        "template": "{{ x is defined }}{{ none is none }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is iterable }}{{ 1 is number }}{{ true is boolean }}{{ 'a' in 'abc' }}{{ 1 not in [1] }}{{ 4 is divisibleby 2 }}{{ messages is sequence }}{{ none is not undefined }}",
        "messages": _M,
    },
    {
        "name": "conditions",
        "template": "{{ 'a' if messages else 'b' }}{{ 'x' if false }}{% if messages|length > 1 and not tools %}t{% elif 1 %}u{% else %}v{% endif %}{{ 1 < 2 < 3 }}",
        "messages": _M,
    },
    {"name": "undefined", "template": "[{{ nothing }}{{ messages[0].nothing }}{{ messages[9] }}]", "messages": _M},
    {"name": "undefined attribute", "template": "{{ nothing.at.all }}", "messages": _M},
    {"name": "undefined sum", "template": "{{ 'a' + nothing }}", "messages": _M},
    {"name": "type error", "template": "{{ 'a' + 1 }}", "messages": _M},
    {"name": "division", "template": "{{ 1 / 0 }}", "messages": _M},
    {"name": "syntax", "template": "{% if %}", "messages": _M},
    {"name": "unknown filter", "template": "{{ 1|nope }}", "messages": _M},
    {"name": "include", "template": "{% include 'x' %}", "messages": _M},
    {"name": "immutable", "template": "{{ messages.append(1) }}", "messages": _M},
    {
        "name": "joiner",
        "template": "{% set j = joiner(', ') %}{% for m in messages %}{{ j() }}{{ m.role }}{% endfor %}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ dict(a=1, **{'b': 2}) }}",
        "messages": _M,
    },
    {"name": "tools", "template": "{{ tools|tojson }}{{ tools is none }}", "messages": _M, "tools": [WEATHER]},
    {"name": "no tools", "template": "{{ tools }}{{ documents }}{{ add_generation_prompt }}", "messages": _M},
    {
        "name": "documents",
        "template": "{% for d in documents %}{{ d.title }}: {{ d['text'] }}\n{% endfor %}",
        "messages": _M,
        "documents": [{"title": "a", "text": "b"}],
    },
    {"name": "bad document", "template": "x", "messages": _M, "documents": ["text"]},
    {"name": "bad tool", "template": "x", "messages": _M, "tools": ["text"]},
    {
        "name": "variables",
        "template": "{{ bos_token }}{{ n + 1 }}{{ l|tojson }}",
        "messages": _M,
        "variables": {"bos_token": "<s>", "n": 1, "l": ["é"]},
    },
    {
        "name": "continue",
        "template": "{% for m in messages %}<{{ m.content }}>{% endfor %}",
        "messages": _turns("a", "b "),
        "continue_final_message": True,
    },
    {
        "name": "continue trimmed",
        "template": "{% for m in messages %}<{{ m.content|trim }}>{% endfor %}",
        "messages": _turns("a", "b "),
        "continue_final_message": True,
    },
    {"name": "continue dropped", "template": "x", "messages": _turns("a", "b"), "continue_final_message": True},
    {
        "name": "continue changed",
        "template": "{{ messages[-1].content|upper }}",
        "messages": _turns("a", "b"),
        "continue_final_message": True,
    },
    {
        "name": "continue nothing",
        "template": "{{ messages[-1].content[0].type }}",
        "messages": [{"role": "user", "content": [{"type": "image"}]}],
        "continue_final_message": True,
    },
]


def simple(x: int, y: float = 1.0) -> str:
    """
    Add numbers.

    Args:
        x: the first
        y: the second,
            on two lines

    Returns:
        the sum
    """
    return str(x + y)


def choosing(drink: str, size: Literal["s", "m"], count: Optional[int] = None) -> None:
    """Order a drink.

    It comes at once.

    Args:
        drink: what to drink (choices: ["tea", "coffee"])
        size: how much
        count: how often
    """


def nesting(
    a: list[str],
    b: dict[str, int],
    c: Union[int, str],
    d: tuple[int, str],
    e: Any,
    f: list,
    g: Optional[list[int]],
    h: bool,
):
    """Take much.

    Args:
        a: one
        b: two
        c: three
        d: four
        e: five
        f: six
        g: seven
        h: eight
    """


def mixed(
    a: Union[list[int], dict[str, str], None], b: Literal[1, "x", None], c: "int | None" = None
) -> dict[str, list[int]]:
    """Mix.

    Args:
        a: one
        b: two
        c: three
    Returns:
        a dict
    Raises:
        ValueError: never
    """


def bare() -> int:
    """Nothing to say."""


FUNCTIONS = [simple, choosing, nesting, mixed, bare]
