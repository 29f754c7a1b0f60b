"""Names, aliases and the search on this machine. Nothing here touches the network."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import SHARED
from tokenizers_lite import registry
from tokenizers_lite.errors import OfflineError, SpecError, TokenizerError
from tokenizers_lite.registry import Entry, entries, explicit_path, find, fold, has_tokenizer, locate, names, resolve

SPELLINGS = [
    ("minicpm", "minicpm"),
    ("MiniCPM-2B", "minicpm"),
    ("openbmb/MiniCPM-2B-dpo-bf16", "minicpm"),
    ("MiniCPM_1B", "minicpm-1b"),
    ("minicpm 3", "minicpm3"),
    ("Qwen2_5", "qwen2.5"),
    ("qwen2-5-vl", "qwen2.5-vl"),
    ("Qwen/Qwen2.5-1.5B-Instruct", "qwen2.5"),
    ("qwen/qwen2.5-1.5b-instruct", "qwen2.5"),
    ("Qwen2.5-7B-Instruct", "qwen2.5"),
    ("QWEN3", "qwen3"),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "deepseek-r1-distill-qwen"),
    ("DeepSeek_V3", "deepseek-v3"),
    ("gemma-2", "gemma2"),
    ("google/gemma-3-4b-it", "gemma3"),
    ("Phi-3.5-mini-instruct", "phi3.5"),
    ("llama-3.2-instruct", "llama3.2"),
    ("LLM-Research/Llama-3.2-3B-Instruct", "llama3.2"),
    ("SmolLM2", "smollm2"),
    ("bge-small-en-v1.5", "bge-small-en"),
    ("hy-mt1.5", "hunyuan-mt"),
]


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """Nothing of this machine's caches and settings is seen."""
    for name in list(os.environ):
        if name.startswith(("TOKENIZERS_LITE_", "HF_", "HUGGINGFACE", "TRANSFORMERS_OFFLINE", "MODELSCOPE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TOKENIZERS_LITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))


@pytest.mark.parametrize(("typed", "name"), SPELLINGS)
def test_what_people_type_resolves(typed, name):
    assert resolve(typed).name == name


@pytest.mark.parametrize("typed", ["llama3", "gemma", "qwen", "deepseek", "Qwen2.5-7B", "mistral"])
def test_an_ambiguous_or_foreign_name_is_not_guessed(typed):
    assert find(typed) is None


def test_the_issue_s_names_are_all_there():
    wanted = (
        "minicpm minicpm-1b minicpm3 minicpm4 qwen2 qwen2.5 qwen2-vl qwen2.5-vl qwen3 qwen3-vl qwen3.5 "
        "deepseek-r1-distill-qwen deepseek-v3 gemma2 gemma3 phi3.5 llama3.2 llama2 smollm2 hunyuan-mt bge-small-en"
    )
    assert set(names()) == set(wanted.split())


def test_no_spelling_means_two_models():
    seen = {}
    for entry in entries():
        for spelling in (*entry.folders, *entry.modelscope):
            assert seen.setdefault(fold(spelling), entry.name) == entry.name


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: Entry):
    assert entry.truth.name == "tokenizer.json"
    assert entry.licence
    assert entry.bos
    assert entry.title
    assert entry.hub
    assert all(registry.is_hub_id(hub_id) for hub_id in (*entry.hub, *entry.modelscope))
    for file in entry.files:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert file.size > 0
        assert file.proof in {"published", "found", "rebuilt", "assumed"}


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_licence_that_forbids_it_is_not_bundled(entry: Entry):
    free = entry.licence.startswith(("MIT", "Apache-2.0"))
    assert not entry.bundled or free


def test_the_hashes_are_those_of_the_real_files():
    """Each file of ../shared/vocab that the registry lists has the size and sha256 listed."""
    from tokenizers_lite._cache import sha256_of

    folder = SHARED / "vocab"
    if not folder.is_dir():
        pytest.skip(f"needs {folder} (set TOKENIZERS_LITE_SHARED)")
    checked = 0
    for model in sorted(folder.iterdir()):
        if not model.is_dir():
            continue
        for file in resolve(model.name).files:
            assert (model / file.name).stat().st_size == file.size
            assert sha256_of(str(model / file.name)) == file.sha256, (model.name, file.name)
            checked += 1
    assert checked > 50


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(SpecError, match=r"did you mean qwen3"):
        resolve("qwenn3")
    with pytest.raises(SpecError, match=r"qwen2\.5"):
        resolve("Qwen2.5-7B")


@given(st.text())
def test_any_string_resolves_or_says_why(name):
    entry = find(name)
    if entry is not None:
        assert resolve(name) == entry
    else:
        with pytest.raises(SpecError, match="tokenizers-lite models"):
            resolve(name)


@given(st.sampled_from(SPELLINGS), st.randoms())
def test_case_and_separators_do_not_matter(spelling, random):
    typed, name = spelling
    varied = "".join(random.choice((char.lower(), char.upper())) for char in typed)
    varied = "".join(random.choice("-_. ") if char in "-_." else char for char in varied)
    assert resolve(varied).name == name


def tokenizer_folder(path):
    path.mkdir(parents=True)
    (path / "tokenizer.json").write_text("{}")
    return path


def test_an_explicit_folder_and_file(tmp_path):
    folder = tokenizer_folder(tmp_path / "mine")
    assert locate(str(folder)) == str(folder)
    assert locate(folder) == str(folder)
    assert locate(folder / "tokenizer.json") == str(folder / "tokenizer.json")


def test_a_relative_folder_needs_a_tokenizer_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qwen3").mkdir()
    assert explicit_path("qwen3") is None
    (tmp_path / "qwen3" / "tokenizer.json").write_text("{}")
    assert explicit_path("qwen3") == "qwen3"
    assert explicit_path("./qwen3") == "./qwen3"


def test_a_path_that_is_not_there_is_not_taken_for_a_name(tmp_path):
    for path in (tmp_path / "nothing", str(tmp_path / "nothing"), "./qwen3", "~/no-such/qwen3", "tokenizer.json", ""):
        with pytest.raises(SpecError):
            locate(path, offline=True)


@pytest.mark.parametrize(
    "folder",
    ["qwen3", "Qwen3", "Qwen--Qwen3-0.6B", "Qwen3-8B", "qwen_3"],
)
def test_search_path_finds_a_folder_named_like_the_model(tmp_path, monkeypatch, folder):
    there = tokenizer_folder(tmp_path / "b" / folder)
    (tmp_path / "a").mkdir()
    path = os.pathsep.join([str(tmp_path / "missing"), str(tmp_path / "a"), str(tmp_path / "b")])
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", path)
    for typed in ("qwen3", "Qwen/Qwen3-8B"):
        assert locate(typed, offline=True) == str(there)


def test_search_path_finds_a_repository_the_registry_does_not_know(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", str(tmp_path))
    there = tokenizer_folder(tmp_path / "acme--tiny")
    assert locate("acme/tiny", offline=True) == str(there)


def test_another_kind_of_file_is_not_the_model(tmp_path, monkeypatch):
    """MiniCPM's tokenizer.model is another tokenizer than its tokenizer.json."""
    (tmp_path / "minicpm").mkdir()
    (tmp_path / "minicpm" / "tokenizer.model").write_bytes(b"x")
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", str(tmp_path))
    with pytest.raises(OfflineError, match="no folder of that name with the file"):
        locate("minicpm", offline=True)


@pytest.mark.parametrize("folder", [path.name for path in sorted((SHARED / "vocab").glob("*/"))] or [None])
def test_the_shared_folders_are_found_by_name(folder, monkeypatch):
    if folder is None:
        pytest.skip(f"needs {SHARED / 'vocab'} (set TOKENIZERS_LITE_SHARED)")
    monkeypatch.setenv("TOKENIZERS_LITE_PATH", str(SHARED / "vocab"))
    assert locate(resolve(folder).name, offline=True) == str(SHARED / "vocab" / folder)


def test_offline_error_says_what_was_tried_and_which_file_to_put_where(tmp_path):
    with pytest.raises(OfflineError) as caught:
        locate("gemma2", offline=True)
    message = str(caught.value)
    for part in ("TOKENIZERS_LITE_PATH: not set", "Gemma Terms of Use", str(tmp_path / "cache"), str(tmp_path / "hf")):
        assert part in message
    for part in ("offline", "tokenizer.json (17,525,357 bytes, sha256 3f289bc0", "google/gemma-2-2b-it", "HF_TOKEN"):
        assert part in message
    assert isinstance(caught.value, TokenizerError)


@pytest.mark.parametrize("flag", ["TOKENIZERS_LITE_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_each_offline_flag_is_honoured(flag, monkeypatch):
    monkeypatch.setenv(flag, "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(OfflineError, match="offline, as asked"):
        locate("minicpm")


def test_has_tokenizer(tmp_path):
    assert not has_tokenizer(str(tmp_path))
    assert not has_tokenizer(str(tmp_path / "missing"))
    (tmp_path / "qwen.tiktoken").write_bytes(b"")
    assert has_tokenizer(str(tmp_path))


def test_locating_what_is_here_imports_no_network_code(tmp_path):
    tokenizer_folder(tmp_path / "gemma2")
    code = (
        "import sys; from tokenizers_lite.registry import locate; locate('gemma2'); "
        "print([m for m in ('urllib.request', 'json', 're', 'hashlib', 'typing', 'difflib') if m in sys.modules])"
    )
    environment = {**os.environ, "TOKENIZERS_LITE_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
