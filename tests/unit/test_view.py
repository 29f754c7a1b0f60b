"""The HTML page: the text is there, whole and harmless, and the tokens are those of encode."""

import json
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tokenizers_lite
from tokenizers_lite import cli
from tokenizers_lite.view import render

TOKENIZERS = {name: tokenizers_lite.load(name) for name in ("qwen3", "phi3.5", "bge-small-en")}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = (
    "</pre></script><script>document.title='taken'</script>\"><img src=x onerror=\"document.title='taken'\">'&lt;<!--"
)


class Page(HTMLParser):
    """What a browser would find on the page: panels of (text, attributes) and every tag outside them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.panels, self.tags, self.stack, self.scripts = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag in ("meta", "input"):
            return
        self.stack.append(tag)
        if tag == "pre":
            self.panels.append([])
        elif tag in ("i", "u"):
            self.panels[-1].append(["", attrs | {"tag": tag}])
        elif tag == "s" and attrs.get("data-c") == "\\0":
            self.panels[-1][-1][0] += "\0"
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if "pre" in self.stack:
            self.panels[-1][-1][0] += data
        elif self.stack[-1:] == ["script"]:
            self.scripts[-1] += data

    def data(self):
        return json.loads(self.scripts[0])


def readable(text):
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@example(HOSTILE)
@example("a\r\nb\0c\x0b\x85\u2028\ufeff\u202ed")
@example("\ud800x\udc00")
@example("龘👩\u200d👩\u200d👧 <|im_start|>[CLS]")
@example("")
@given(st.text(max_size=40))
def test_every_panel_holds_the_text_and_the_ids_of_encode(text):
    page = Page(render(text, TOKENIZERS))

    for tokenizer, panel, data in zip(TOKENIZERS.values(), page.panels, page.data(), strict=True):
        assert "".join(piece for piece, _ in panel) == readable(text)
        assert data["ids"] == tokenizer.encode(text)
        assert len(data["offsets"]) == 2 * len(data["ids"])
        tokens = [int(attributes.get("data-n", 1)) for _, attributes in panel if attributes["tag"] == "i"]
        assert sum(tokens) == len(data["ids"])
        assert {int(id_) for id_ in data["tokens"]} == set(data["ids"])


def test_nothing_of_a_hostile_text_or_name_becomes_markup():
    harmless = [(tag, sorted(attributes)) for tag, attributes in Page(render("x", {"a": TOKENIZERS["qwen3"]})).tags]
    page = Page(render(HOSTILE, {HOSTILE: TOKENIZERS["qwen3"]}, title=HOSTILE))

    found = [(tag, sorted(attributes)) for tag, attributes in page.tags if tag not in ("i", "s", "u")]
    assert found == [row for row in harmless if row[0] not in ("i", "s", "u")]
    assert len(page.scripts) == 2
    assert page.data()[0]["name"] == HOSTILE


def test_the_page_refers_to_nothing_and_allows_only_its_own_script():
    from base64 import b64encode
    from hashlib import sha256

    page = Page(render("x", TOKENIZERS))

    assert not [attrs for _, attrs in page.tags if {"src", "href", "onclick", "action"} & set(attrs)]
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert b64encode(sha256(page.scripts[1].encode()).digest()).decode() in policy
    assert all("http" not in script for script in page.scripts)


def test_special_and_shared_and_unknown_tokens_are_marked():
    panels = Page(render("龘<|im_start|>", TOKENIZERS)).panels

    qwen = dict(panels[0])
    assert qwen["龘"]["data-n"] == str(len(TOKENIZERS["qwen3"].encode("龘"))) == "2"
    assert "x" in qwen["<|im_start|>"]["class"].split()
    bge = dict(panels[2])
    assert panels[2][0][1]["data-t"] == "[CLS]"
    assert bge["龘"]["data-k"] == "unknown to the model"


def test_bytes_of_tokens_that_share_a_character_make_the_character():
    for name in ("qwen3", "phi3.5"):
        data = Page(render("龘", {name: TOKENIZERS[name]})).data()[0]
        raw = b"".join(bytes.fromhex(data["bytes"].get(str(id_), "")) for id_ in data["ids"])
        assert raw.lstrip() == "龘".encode()


def test_differences_are_marked_and_spaces_between_words_are_not():
    panels = Page(render("hello world unbelievably", TOKENIZERS)).panels

    marked = ["".join(p for p, a in panel if "d" in a.get("class", "").split()) for panel in panels]
    assert all("hello" not in text and "world" not in text for text in marked)
    cuts = {tuple(p.strip() for p, _ in panel if p.strip() in "unbelievably" and p) for panel in panels}
    assert len(cuts) == 1 or all(marked)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["word ", "龘", "\n", "x" * 50, " <|im_end|>", "é"]), min_size=100, max_size=200))
def test_a_long_text_is_cut_between_tokens_and_counted_whole(parts):
    text = "".join(parts) * 20
    page = render(text, TOKENIZERS, limit=200)

    parsed = Page(page)
    for tokenizer, panel, data in zip(TOKENIZERS.values(), parsed.panels, parsed.data(), strict=True):
        shown = "".join(piece for piece, _ in panel)
        assert text.startswith(shown)
        assert len(shown) <= 200
        ids = tokenizer.encode(text)
        assert ids[: len(data["ids"])] == data["ids"]
        assert f"<td>{len(ids):,}</td>" in page
    assert "first" in page


def test_the_command_writes_a_page(tmp_path, capsys):
    source, target = tmp_path / "in.txt", tmp_path / "out.html"
    source.write_bytes(b"one\r\ntwo")

    assert cli.main(["view", str(source), "-m", "qwen3", "-m", "smollm2", "-o", str(target)]) == 0

    assert capsys.readouterr().out.strip() == str(target)
    page = Page(target.read_bytes().decode())
    assert ["".join(piece for piece, _ in panel) for panel in page.panels] == ["one\r\ntwo"] * 2
    assert [data["name"] for data in page.data()] == ["qwen3", "smollm2"]
    assert cli.main(["view", str(tmp_path / "missing")]) == 1


def test_the_command_writes_to_a_pipe(capfdbinary):
    assert cli.main(["view", "-t", "naïve", "-m", "qwen3"]) == 0

    assert capfdbinary.readouterr().out.startswith(b"<!doctype html>")


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH")
def test_in_a_browser(tmp_path):
    page = render(HOSTILE + "naïve\r\n龘", TOKENIZERS, title="Tokens")
    (tmp_path / "page.html").write_text(page, "utf-8", newline="")
    # The same page with a visitor in it, whom the policy would not let in.
    visitor = "show(models[0], 0); document.title += ` ${document.querySelectorAll('i.o').length}"
    visitor += " ${encodeURI(textOf(models[0].groups.at(-2)))}`;"
    policy = page[page.index('<meta http-equiv="Content') : page.index("<title>")]
    visited = page.replace(policy, "").replace("</body>", f"<script>{visitor}</script></body>")
    (tmp_path / "visited.html").write_text(visited, "utf-8", newline="")
    (tmp_path / "refused.html").write_text(visited.replace("<title>", policy + "<title>"), "utf-8", newline="")

    dumps = {name: browse(tmp_path, name) for name in ("page", "visited", "refused")}

    assert all("taken'</title>" not in dump and "<title>Tokens" in dump for dump in dumps.values())
    assert "<title>Tokens</title>" in dumps["page"]
    assert "<title>Tokens</title>" in dumps["refused"]
    assert "<title>Tokens 4 %0D%0A</title>" in dumps["visited"]
    table = dumps["visited"].partition("<aside")[2].partition("</aside>")[0]
    assert all(f'<th scope="row">{name}</th>' in table for name in TOKENIZERS)


def browse(folder, name):
    """Return the document as the browser has it after loading it."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={folder}/profile", "--dump-dom", (folder / f"{name}.html").as_uri()]
    return subprocess.run(command, check=True, capture_output=True, timeout=90).stdout.decode()
