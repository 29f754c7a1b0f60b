"""The command line on a tiny model made on the spot: what it prints, and its exit codes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenizers_lite import _terminal, load
from tokenizers_lite.byte_alphabet import CHARS
from tokenizers_lite.cli import COMMANDS, USAGE, main

MERGES = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w")]
TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}:{{ m.content }}{% endfor %}"
    "{% if tools %}[{{ tools | length }}]{% endif %}{% if add_generation_prompt %}<s>{{ who or 'ai' }}:{% endif %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a byte-level BPE of five merges, one special token and a chat template."""
    folder = tmp_path_factory.mktemp("tiny")
    vocab = {char: i for i, char in enumerate(CHARS)}
    for left, right in MERGES:
        vocab[left + right] = len(vocab)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    added = {"id": len(vocab), "content": "<s>", "normalized": False, "special": True}
    added |= {"single_word": False, "lstrip": False, "rstrip": False}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [len(vocab)], "tokens": ["<s>"]}},
        },
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocab, "merges": MERGES},
    }
    config = {"bos_token": "<s>", "chat_template": TEMPLATE}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return str(folder)


@pytest.fixture(autouse=True)
def environment(monkeypatch, model, tmp_path):
    monkeypatch.setenv("TOKENIZERS_LITE_MODEL", model)
    monkeypatch.setenv("TOKENIZERS_LITE_OFFLINE", "1")
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    for name in ("NO_COLOR", "FORCE_COLOR", "TOKENIZERS_LITE_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cli(capsysbinary, monkeypatch):
    """Run a command with bytes on stdin; return (exit code, stdout, stderr)."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


BOS = 256 + len(MERGES)
HELLO = 256 + 3


def test_encode_prints_ids(cli):
    assert cli("encode", "hello") == (0, f"{BOS} {HELLO}\n", "")
    assert cli("encode", "--no-special", "hello", "world")[1].split()[0] == str(HELLO)


def test_special_tokens_in_text_may_stay_text(cli):
    assert cli("encode", "--no-special", "<s>")[1] == f"{BOS}\n"
    plain = cli("encode", "--no-special", "--plain", "<s>")[1].split()
    assert plain == [str(CHARS.index(char)) for char in "<s>"]


def test_stdin_is_taken_as_it_is(cli, model):
    for data in (b"", b"hello\r\n", b"a\nb\n", "é🎉\0".encode(), b"\xef\xbb\xbfx"):
        ids = cli("encode", stdin=data)[1].split()
        assert [int(i) for i in ids] == load(model).encode(data.decode())


def test_lines_and_nul_separate_texts(cli):
    assert cli("encode", "--no-special", "--lines", stdin=b"hello\n\nhello")[1] == f"{HELLO}\n\n{HELLO}\n"
    assert cli("encode", "--no-special", "-0", stdin=b"hello\0hello\n\0")[1].splitlines()[0] == str(HELLO)
    assert len(cli("encode", "-0", stdin=b"a\0b\n\0")[1].splitlines()) == 2


def test_json_has_tokens_and_offsets(cli):
    found = json.loads(cli("encode", "--json", "hello w")[1])
    assert found == {
        "ids": [BOS, HELLO, 256 + 4],
        "tokens": ["<s>", "hello", "Ġw"],
        "offsets": [[0, 0], [0, 5], [5, 7]],
    }


def test_tokens_one_a_line(cli):
    assert cli("encode", "--tokens", "hello")[1] == f'{BOS}\t"<s>"\t0\t0\n{HELLO}\t"hello"\t0\t5\n'


def test_pieces_without_colour_show_bars(cli):
    ids = cli("encode", "hello w")[1]
    assert cli("encode", "--pieces", "hello w") == (0, f"<s>|hello| w\n{ids}", "")


def test_pieces_in_colour(cli, monkeypatch):
    _, out, _ = cli("encode", "--pieces", "--color", "always", "--no-special", "hello w\t")
    assert out.startswith("\x1b[30;48;5;151mhello\x1b[0m\x1b[30;48;5;223m w\x1b[0m")
    assert "\\t" in out
    assert "\x1b" not in cli("encode", "--pieces", "--color", "never", "hello")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in cli("encode", "--pieces", "hello")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli("encode", "--pieces", "hello")[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_pieces_cover_the_text(model, text):
    """Whatever the tokens, the pieces put together are the text, and every token is in one piece."""
    encoding = load(model).encode_with_offsets(text)
    pieces = list(_terminal.spans(text, encoding))
    assert "".join(piece for piece, _ in pieces) == text
    assert [index for _, tokens in pieces for index in tokens] == list(range(len(encoding.ids)))


def test_decode_writes_exactly_the_text(cli, model):
    ids = load(model).encode("hello\n wörld\n", add_special_tokens=False)
    assert cli("decode", *map(str, ids))[1] == "hello\n wörld\n"
    assert cli("decode", stdin=json.dumps(ids).encode())[1] == "hello\n wörld\n"
    assert cli("decode", stdin=" ".join(map(str, [BOS, *ids])).encode())[1] == "hello\n wörld\n"
    assert cli("decode", "--keep-special", f"{BOS}")[1] == "<s>"
    assert cli("decode", "--json", f"{HELLO}")[1] == '"hello"\n'
    assert cli("decode", "--lines", stdin=f"{HELLO}\n\n{HELLO}\n".encode())[1] == "hello\n\nhello\n"


def test_decode_of_what_is_no_id_is_wrong_usage(cli):
    code, out, err = cli("decode", "x")
    assert (code, out) == (2, "")
    assert "ids are whole numbers" in err


def test_count_is_the_default(cli, tmp_path, model):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("hello")
    two.write_text("hello w")
    assert cli(str(one))[1] == f"2\t{one}\n"
    assert cli(str(one), str(two))[1] == f"2\t{one}\n3\t{two}\n5\ttotal\n"
    assert cli("-m", model, stdin=b"hello w")[1] == "3\n"
    assert cli(stdin=b"hello")[1] == "2\n"
    assert cli("count", "--no-special", "--lines", stdin=b"hello\nhello w\n")[1] == "1\n2\n"


def test_count_as_json(cli, tmp_path, model):
    path = tmp_path / "one.txt"
    path.write_text("hello w")
    found = json.loads(cli("count", "--json", str(path))[1])
    assert found == {"model": model, "tokens": 3, "texts": [{"file": str(path), "tokens": 3, "characters": 7}]}


def test_count_fails_above_a_maximum(cli):
    assert cli("count", "--max", "2", stdin=b"hello")[0] == 0
    code, out, err = cli("count", "--max", "1", stdin=b"hello")
    assert (code, out) == (1, "2\n")
    assert "2 tokens are more than 1" in err


def test_truncate_cuts_text(cli):
    assert cli("truncate", "--no-special", "1", stdin=b"hello w")[1] == "hello"
    assert cli("truncate", "2", stdin=b"hello w")[1] == "hello"
    assert cli("truncate", "99", stdin=b"hello w\n")[1] == "hello w\n"
    assert cli("truncate", "--", "-1")[0] == 2


def test_input_that_is_not_utf8(cli):
    code, out, err = cli("count", stdin=b"hello\xff")
    assert (code, out) == (1, "")
    assert "stdin is not UTF-8 (byte 5)" in err
    assert cli("count", "--no-special", "--errors", "replace", stdin=b"hello\xff")[1] == "4\n"


def test_chat_renders_messages(cli, tmp_path):
    pytest.importorskip("jinja2")
    messages = [{"role": "user", "content": "hello"}]
    assert cli("chat", stdin=json.dumps(messages).encode())[1] == "<s>user:hello<s>ai:"
    assert cli("chat", "--no-prompt", stdin=json.dumps(messages).encode())[1] == "<s>user:hello"
    whole = {"messages": messages, "tools": [{}], "add_generation_prompt": False}
    assert cli("chat", "-", stdin=json.dumps(whole).encode())[1] == "<s>user:hello[1]"
    (tmp_path / "tools.json").write_text("[{}, {}]")
    out = cli("chat", "--user", "a", "--assistant", "b", "--set", "who=me", "--tools", str(tmp_path / "tools.json"))[1]
    assert out == "<s>user:a<s>assistant:b[2]<s>me:"


def test_chat_gives_ids(cli):
    pytest.importorskip("jinja2")
    ids = cli("chat", "--user", "<s>", "--no-prompt", "--ids")[1].split()
    assert ids.count(str(BOS)) == 2
    ids = cli("chat", "--user", "<s>", "--no-prompt", "--ids", "--safe")[1].split()
    assert ids.count(str(BOS)) == 1
    assert json.loads(cli("chat", "--user", "a", "--ids", "--json")[1])[0] == BOS


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["chat"], b"{", "stdin is not JSON"),
        (["chat"], b'{"x": 1}', "expected a JSON list of messages"),
        (["chat", "--user", "a", "--safe"], b"", "--safe needs --ids"),
        (["chat", "--user", "a", "--set", "x"], b"", "NAME=VALUE"),
        (["encode", "a", "--file", "b"], b"", "either text or --file"),
        (["encode", "--no-such"], b"", "unrecognized arguments"),
        (["cuont"], b"", "did you mean count?"),
    ],
)
def test_wrong_usage_exits_with_2(cli, arguments, stdin, says):
    code, out, err = cli(*arguments, stdin=stdin)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["encode", "-m", "no-such-model", "a"], "unknown model name"),
        (["encode", "-m", "minicpm", "a"], "What to do, any one of"),
        (["encode", "-m", "./missing.json", "a"], "no such file"),
        (["encode", "-f", "/no/such/file"], "No such file"),
        (["decode", "999999999"], ""),
        (["show", "--id", "999999999"], "no id 999999999"),
        (["show", "--grep", "nothing at all"], ""),
    ],
)
def test_failures_exit_with_1_and_no_traceback(cli, arguments, says):
    code, _, err = cli(*arguments)
    if arguments[0] == "decode":  # an unknown id is no text, as in Hugging Face
        assert (code, err) == (0, "")
        return
    assert code == 1
    assert says in err
    assert "Traceback" not in err


def test_show_describes_a_vocabulary(cli, model):
    code, out, _ = cli("show")
    facts = dict(line.split("  ", 1) for line in out.splitlines())
    assert code == 0
    assert facts["tokens"].strip() == str(BOS + 1)
    assert facts["model"].strip() == "BPE"
    assert facts["adds around a text"].strip() == "<s>"
    found = json.loads(cli("show", "--json", model)[1])
    assert found["special ids"] == {"bos": BOS}
    assert found["chat templates"] == ["default"]


def test_show_lists_tokens(cli, model):
    rows = [line.split("\t") for line in cli("show", "--tokens")[1].splitlines()]
    assert len(rows) == BOS + 1
    assert rows[HELLO] == [str(HELLO), '"hello"', '"hello"']
    assert cli("show", "--grep", " w")[1] == '260\t"Ġw"\t" w"\n'
    assert json.loads(cli("show", "--id", "259", "--json")[1]) == {"id": 259, "token": "hello", "text": "hello"}
    assert json.loads(cli("show", "--added", "--json")[1])["special"] is True
    assert cli("show", "--template")[1] == TEMPLATE + "\n"


def test_models_lists_the_registry(cli):
    out = cli("models")[1]
    assert len([line for line in out.splitlines() if line.startswith("minicpm")]) == 4
    found = json.loads(cli("models", "--json")[1])
    assert {row["name"] for row in found} >= {"qwen3", "gemma2"}
    details = cli("models", "llama-3.2")[1]
    assert "79e3e522635f3171" in details
    assert "meta-llama/Llama-3.2-3B-Instruct" in details


def test_models_says_where_a_model_is(cli, tmp_path, monkeypatch):
    (tmp_path / "minicpm-2b").mkdir()
    (tmp_path / "minicpm-2b" / "tokenizer.json").write_text("{}")
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", str(tmp_path))
    assert "\n  here        folder\n" in cli("models", "minicpm")[1]
    assert "\n  here        no\n" in cli("models", "minicpm3")[1]


def test_fetch_prints_where_a_model_is(cli, tmp_path, monkeypatch):
    (tmp_path / "minicpm").mkdir()
    (tmp_path / "minicpm" / "tokenizer.json").write_text("{}")
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", str(tmp_path))
    assert cli("fetch", "minicpm")[1] == f"{tmp_path / 'minicpm'}\n"
    code, _, err = cli("fetch", "minicpm", "no-such")
    assert code == 1
    assert "unknown model name" in err


def test_help_lists_tasks_and_every_command(cli):
    code, out, _ = cli("--help")
    assert (code, out) == (0, USAGE)
    for command in COMMANDS:
        assert command in USAGE


@pytest.mark.parametrize("command", [name for name, place in COMMANDS.items() if ":" in place and "cli_" in place])
def test_every_command_explains_itself(cli, command):
    code, out, _ = cli(command, "--help")
    assert code == 0
    assert out.startswith(f"usage: tokenizers-lite {command}")


def test_version(cli):
    from tokenizers_lite import __version__

    assert cli("--version")[1] == f"tokenizers-lite {__version__}\n"


def run(*arguments, stdin=b""):
    command = [sys.executable, "-m", "tokenizers_lite", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=60, check=False)


def test_python_m_in_a_locale_without_utf8(model, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("encode", "--pieces", "--no-special", stdin="é🎉".encode())
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("é|🎉\n")


@pytest.mark.skipif(os.name == "nt", reason="needs pipes that signal")
def test_a_reader_that_stops_is_no_error():
    """Like `tokenizers-lite encode --lines | head -1`."""
    command = [sys.executable, "-m", "tokenizers_lite", "encode", "--lines", "--no-special", "-f", "-"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        process.stdin.write(b"hello\n" * 100_000)
        process.stdin.close()
        assert process.stdout.readline() == f"{HELLO}\n".encode()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141
