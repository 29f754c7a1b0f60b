"""Chat templates: small templates of our own, replayed against transformers' answers, and the API around them."""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FRAGMENTS
from tokenizers_lite import chat
from tokenizers_lite.chat.marks import Marks
from tokenizers_lite.chat.tools import schema
from tokenizers_lite.chat.with_tokenizer import guarded_tokens, skip_ranges, special_tokens
from tokenizers_lite.errors import MissingDependencyError, TemplateError
from tokenizers_lite.spec import AddedToken, Config

pytest.importorskip("jinja2")

ORACLE = Path(__file__).parents[1] / "oracle"
FIXTURE = json.loads(gzip.decompress((ORACLE / "transformers_templates.json.gz").read_bytes()))
NOW = datetime.fromisoformat(FIXTURE["now"])
CASES = {case["name"]: case for case in FIXTURE["cases"]}
HI = [{"role": "user", "content": "hi"}]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOKENS = ["<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|user|>", "END"]


def render(template, messages=HI, **options):
    return chat.render({"default": template}, messages, **options)


def safe(template, messages=HI, tokens=TOKENS, **options):
    text, ranges = chat.render_safe({"default": template}, messages, tokens, **options)
    return text, [text[start:end] for start, end in ranges]


def functions():
    spec = importlib.util.spec_from_file_location("transformers_cases", ORACLE / "transformers_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {function.__name__: function for function in module.FUNCTIONS}


# Equal to transformers


@pytest.mark.parametrize("name", CASES)
def test_each_feature_renders_as_in_transformers(name):
    case = dict(CASES[name])
    options = {key: case[key] for key in ("tools", "documents", "variables", "continue_final_message") if key in case}

    if "error" in case:
        with pytest.raises(TemplateError):
            render(case["template"], case["messages"], now=NOW, **options)
    else:
        assert render(case["template"], case["messages"], now=NOW, **options) == case["text"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "text" in case])
def test_safe_mode_renders_each_feature_the_same(name):
    case = dict(CASES[name])
    options = {key: case[key] for key in ("tools", "documents", "variables", "continue_final_message") if key in case}

    try:
        text, _ = safe(case["template"], case["messages"], now=NOW, **options)
    except TemplateError as error:
        assert "safe mode cannot tell" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert text == case["text"]


@pytest.mark.parametrize("name", FIXTURE["schemas"])
def test_functions_become_the_schemas_of_transformers(name):
    made = schema(functions()[name])

    assert json.dumps(made) == json.dumps(FIXTURE["schemas"][name])  # the order of keys is printed, too


def test_tools_may_be_functions():
    shown = render("{{ tools | tojson }}", tools=[functions()["simple"]])

    assert json.loads(shown) == [FIXTURE["schemas"]["simple"]]


# Choosing a template


@pytest.mark.parametrize(
    ("names", "asked", "tools", "chosen"),
    [
        (["default"], None, False, "default"),
        (["default", "tool_use"], None, False, "default"),
        (["default", "tool_use"], None, True, "tool_use"),
        (["default", "rag"], "rag", True, "rag"),
        (["other"], None, False, "other"),
    ],
)
def test_template_chosen(names, asked, tools, chosen):
    assert chat.choose(dict.fromkeys(names, ""), asked, with_tools=tools) == chosen


@pytest.mark.parametrize(("names", "asked"), [([], None), (["a", "b"], None), (["default"], "rag")])
def test_no_template_to_choose(names, asked):
    with pytest.raises(TemplateError):
        chat.choose(dict.fromkeys(names, ""), asked)


# Errors


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        ("a\nb\n{{ x.y.z }}", 3, "'x' is undefined"),
        ("a\n{{ raise_exception('no system') }}", 2, "no system"),
        ("a\n\n{% if %}", 3, "Expected an expression"),
        ("{% for m in messages %}\n{{ m + 1 }}\n{% endfor %}", 2, "unsupported operand"),
    ],
)
def test_errors_name_the_line(template, line, said):
    with pytest.raises(TemplateError, match=f"chat template 'default', line {line}: .*{said}"):
        render(template)


@pytest.mark.parametrize(
    "arguments",
    [
        {"messages": "hi"},
        {"messages": {"role": "user"}},
        {"messages": [], "continue_final_message": True},
        {"messages": ["text"], "continue_final_message": True},
        {"messages": [{"role": "user", "content": [0.5]}], "continue_final_message": True},
        {"messages": HI, "continue_final_message": True, "add_generation_prompt": True},
        {"messages": HI, "tools": "clock"},
        {"messages": HI, "tools": [1]},
        {"messages": HI, "documents": ["text"]},
        {"messages": HI, "variables": {"messages": []}},
    ],
)
def test_wrong_arguments(arguments):
    with pytest.raises(TemplateError):
        chat.render({"default": CHATML}, **arguments)


def undocumented(x: int):
    pass


def unhinted(x):
    """Take.

    Args:
        x: it
    """


def undescribed(x: int):
    """Take."""


def unfit(x: set[int]):
    """Take.

    Args:
        x: it
    """


@pytest.mark.parametrize("function", [undocumented, unhinted, undescribed, unfit])
def test_functions_that_describe_too_little(function):
    with pytest.raises(TemplateError):
        schema(function)


def test_without_jinja_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(MissingDependencyError, match="pip install"):
        render("x")


def test_an_old_jinja_is_refused(monkeypatch):
    monkeypatch.setattr("jinja2.__version__", "3.1.5")

    with pytest.raises(MissingDependencyError, match=r"found 3\.1\.5.*pip install"):
        render("x")


def test_importing_chat_does_not_import_jinja():
    code = "import sys; from tokenizers_lite import chat; sys.exit('jinja2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Behaviour


def test_special_tokens_are_seen_and_variables_win():
    template = "{{ bos_token }}{{ eos_token is defined }}{{ additional_special_tokens }}"
    tokens = {"bos_token": "<s>", "eos_token": None, "additional_special_tokens": ["<x>"]}

    assert render(template, special_tokens=tokens) == "<s>False['<x>']"
    assert render(template, special_tokens=tokens, variables={"bos_token": "B"}) == "BFalse['<x>']"


def test_messages_are_not_changed():
    messages = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]

    render("{{ messages[0].content[0].text }}", messages, continue_final_message=True)

    assert messages == [{"role": "user", "content": [{"type": "text", "text": "a"}]}]


def test_threads_share_templates():
    wrong = []

    def work(number):
        for _ in range(30):
            text = render("{% for i in range(50) %}{{ messages[0].content }}{% endfor %}", [{"content": str(number)}])
            if text != str(number) * 50:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_long_conversation_stays_within_the_bounds():
    messages = [{"role": "user", "content": f"message {number} " * 5} for number in range(4000)]

    text = render(CHATML, messages)

    assert text.count("<|im_start|>") == 4000


def test_a_long_message_stays_within_the_bounds():
    content = "word " * 600_000

    assert len(render(CHATML, [{"role": "user", "content": content}])) == len(content) + 28


# Safe mode


@pytest.mark.parametrize(
    ("content", "protected"),
    [
        ("hi", []),
        ("<b> a|b </i>", []),
        ("a<|im_end|>b", ["<|im_end|>"]),
        ("<|im_end|><|im_start|>", ["<|im_end|><|im_start|>"]),
        ("<|im_<|im_end|>end|>", ["<|im_end|>"]),
        ("the END", ["END"]),
        ("\U000f003c|im_end|>", []),
    ],
)
def test_special_text_in_a_message_is_protected(content, protected):
    text, found = safe(CHATML, [{"role": "user", "content": content}], add_generation_prompt=True)

    assert text == render(CHATML, [{"role": "user", "content": content}], add_generation_prompt=True)
    assert found == protected


def test_a_token_put_together_from_two_parts_is_protected():
    parts = [{"type": "text", "text": "<|im_"}, {"type": "text", "text": "end|>"}]
    template = "<|im_start|>{% for part in messages[0].content %}{{ part.text }}{% endfor %}<|im_end|>"

    assert safe(template, [{"role": "user", "content": parts}]) == (
        "<|im_start|><|im_end|><|im_end|>",
        ["<|im_end|>"],
    )


def test_a_token_left_by_removing_text_is_protected():
    messages = [{"role": "user", "content": "<|im_<think>end|>"}]

    assert safe("{{ messages[0].content | replace('<think>', '') }}<|im_end|>", messages)[1] == ["<|im_end|>"]


def test_a_token_that_content_and_template_share_is_protected():
    assert safe("{{ messages[0].content }}|im_end|>", [{"role": "user", "content": "<"}])[1] == ["<"]


def test_a_role_between_the_templates_brackets_is_the_templates_token():
    template = "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}"

    assert safe(template, [{"role": "user", "content": "<|user|>"}]) == ("<|user|><|user|>", ["<|user|>"])


def test_logic_on_content_is_not_disturbed():
    template = (
        "{% set c = messages[0].content %}{% if '</think>' in c %}"
        "{% set r = c.split('</think>')[0].split('<think>')[-1] %}"
        "{{ '<think>' + r + '</think>' + c.split('</think>')[-1] }}{% endif %}{{ c.startswith('<think>') }}"
    )

    text, found = safe(template, [{"role": "assistant", "content": "<think>a</think>b<|im_end|>"}])

    assert text == "<think>a</think>b<|im_end|>True"
    assert found == ["<|im_end|>"]


@pytest.mark.parametrize(
    "template",
    [
        "{% macro turn(open, text) %}{{ open ~ text }}{% endmacro %}{{ turn('<|im_start|>', '<x>') }}",
        "{% set ns = namespace(s='<|im_start|>') %}{% set ns.s = ns.s ~ '<x>' %}{{ ns.s }}",
        "{{ '<|im_start|>' if messages else '<b>' }}<x>",
        "{{ ['<|im_start|>', 'x>'] | join('<') }}",
        "{{ none | default('<|im_start|>', true) ~ '<x>' }}",
        "{{ {'a': '<|im_start|><x>'}['a'] }}",
        "{{ '%s<x>' % '<|im_start|>' }}",
        "{{ 'AB'.replace('A', '<|im_start|>').replace('B', '<x>') }}",
        "{% for t in ['<|im_start|>', '<x>'] %}{{ t }}{% endfor %}",
        "{% set t %}<|im_start|><x>{% endset %}{{ t | trim }}",
        "{{ bos_token }}<x>",
    ],
)
def test_the_templates_own_tokens_stay_tokens(template):
    messages = [{"role": "user", "content": "<|> in the input"}]

    text, found = safe(template, messages, special_tokens={"bos_token": "<|im_start|>"})

    assert text.endswith("<|im_start|><x>")
    assert found == []


def test_a_template_that_tests_its_own_text_is_refused():
    with pytest.raises(TemplateError, match="safe mode cannot tell"):
        safe("{% set t = '<think>' %}{{ 'yes' if t in messages[0].content else 'no' }}", [{"content": "<think>"}])


def test_safe_mode_finds_an_unused_plane():
    messages = [{"role": "user", "content": "\U000f0000<|im_end|>"}]

    assert safe(CHATML, messages)[1] == ["<|im_end|>"]
    with pytest.raises(TemplateError, match="planes"):
        safe(CHATML, [{"role": "user", "content": "\U000f0000\U00100000"}])


@given(st.lists(st.sampled_from(FRAGMENTS + TOKENS + ["<|im_", "end|>", "<", "|", ">"]), max_size=8))
def test_whatever_a_message_says_only_the_templates_tokens_remain(parts):
    content = "".join(part for part in parts if not any(char >= "\U000f0000" for char in part))

    text, ranges = chat.render_safe({"default": CHATML}, [{"role": "user", "content": content}], TOKENS)

    start = len("<|im_start|>user\n")
    assert text == f"<|im_start|>user\n{content}<|im_end|>\n"
    assert all(start <= first < last <= start + len(content) for first, last in ranges)
    overlaps = skip_ranges(ranges)
    for token in TOKENS:
        place = text.find(token)
        while place >= 0:
            foreign = place + len(token) > start and place < start + len(content)
            assert overlaps(place, place + len(token), None) == foreign
            place = text.find(token, place + 1)


def test_marks_can_be_undone():
    marks = Marks.of(TOKENS, 0xF0000)
    text = '<|im_end|> END _ \\ " a'

    assert marks.mark(text) != text
    assert len(marks.mark(text)) == len(text)
    assert marks.unmark(marks.mark(text)) == text


# With a tokenizer's spec


def test_special_tokens_map_of_a_config():
    config = Config(bos_token="<s>", eos_token="", additional_special_tokens=("<a>",))

    assert special_tokens(config) == {"bos_token": "<s>", "additional_special_tokens": ["<a>"]}


def test_guarded_are_special_tokens_and_those_the_template_writes():
    added = [
        AddedToken(id=0, content="<s>", special=True),
        AddedToken(id=1, content="<think>"),
        AddedToken(id=2, content="<table>"),
        AddedToken(id=3, content="\n\n"),
    ]

    assert guarded_tokens(added, "<think>\n\n") == ["<s>", "<think>"]


def test_the_output_is_bounded_even_where_nothing_is_computed():
    with pytest.raises(TemplateError, match=r"Limits\.output"):
        chat.render({"default": "0123456789" * 3}, HI, limits=chat.Limits(output=29, output_per_char=0))

    bound = chat.Limits(output=30, output_per_char=0)
    assert chat.render({"default": "0123456789" * 3}, HI, limits=bound) == "0123456789" * 3
