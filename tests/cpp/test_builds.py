"""The reader builds with every compiler and build system named, and works the same everywhere."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cpp.native import SANITIZED, SOURCES, Native, build, compiler
from tests.paths import ROOT
from tokenizers_lite.formats import compact as reader
from tokenizers_lite.tokenizer import Tokenizer

FILE = ROOT / "tokenizers_lite" / "bundled" / "phi3.5.tokc"
TEXT = "Hello  wörld\n\n 123 中国 e\u0301 <|end|>👩‍👩‍👧‍👦\0!"
JAVA = SOURCES / "java" / "io" / "tokenizerslite" / "Tokenizer.java"
SHOW = """
import io.tokenizerslite.Tokenizer;

public class Show {
  public static void main(String[] args) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.open(args[0])) {
      int[] ids = tokenizer.encode(TEXT);
      StringBuilder line = new StringBuilder();
      for (int id : ids) line.append(id).append(' ');
      System.out.println(line.toString().trim());
      System.out.println(tokenizer.decode(ids, false).equals(streamed(tokenizer, ids)));
      System.out.println(tokenizer.stopIds().length + " " + tokenizer.chatTemplate().length());
    }
    try {
      Tokenizer.open(args[1]);
    } catch (java.io.IOException refused) {
      System.out.println(refused.getMessage());
    }
  }

  static String streamed(Tokenizer tokenizer, int[] ids) {
    StringBuilder text = new StringBuilder();
    try (Tokenizer.Stream stream = tokenizer.stream(false)) {
      for (int id : ids) text.append(stream.push(id));
      return text.append(stream.finish()).toString();
    }
  }
}
"""


@pytest.fixture(scope="module")
def tokenizer():
    if not FILE.exists():
        pytest.skip(f"{FILE} is not there; scripts rebuild the bundled files")
    return Tokenizer(reader.read(str(FILE)))


@pytest.fixture(scope="module")
def cmake(tmp_path_factory):
    """Build everything that CMake builds without an NDK; return the folder."""
    if not shutil.which("cmake"):
        pytest.skip("needs cmake")
    folder = tmp_path_factory.mktemp("cmake")
    jni = "ON" if _java_home() else "OFF"
    run(
        "cmake", "-S", SOURCES, "-B", folder, "-DTKL_TOOLS=ON", f"-DTKL_JNI={jni}", f"-DCMAKE_CXX_COMPILER={compiler()}"
    )
    run("cmake", "--build", folder)
    return folder


def run(*command: object, **options: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def _java_home() -> Path | None:
    """Return the folder of a JDK with headers and a compiler."""
    found = [os.environ.get("JAVA_HOME"), *map(str, Path("/usr/lib/jvm").glob("*")), "/usr/local/opt/openjdk"]
    javac = shutil.which("javac")
    if javac:
        found.insert(0, str(Path(javac).resolve().parents[1]))
    return next((Path(home) for home in found if home and (Path(home) / "include" / "jni.h").is_file()), None)


@pytest.mark.parametrize("cxx", ["g++", "clang++"])
def test_compilers_agree(tmp_path, tokenizer, cxx):
    native = Native(build(tmp_path, flags=SANITIZED, cxx=cxx), FILE)

    ids = native.encode(TEXT)

    assert ids == tokenizer.encode(TEXT)
    assert native.decode(ids, False) == tokenizer.decode(ids, skip_special_tokens=False)
    native.close()


def test_cmake_builds_tools_that_work(cmake, tokenizer):
    assert run(cmake / "tkl", FILE, "encode", "Hello").split() == list(map(str, tokenizer.encode("Hello")))


def test_java_gets_the_same_ids(cmake, tokenizer, tmp_path):
    home = _java_home()
    if not home or not shutil.which("java"):
        pytest.skip("needs a JDK (javac, jni.h)")
    literal = "".join(f"\\u{unit:04x}" for unit in _units(TEXT)).replace("\\u000a", "\\n").replace("\\u0000", "\\0")
    tmp_path.joinpath("Show.java").write_text(SHOW.replace("(TEXT)", f'("{literal}")'), "utf-8")
    broken = tmp_path / "broken.tokc"
    broken.write_bytes(b"no such thing" * 9)
    run(home / "bin" / "javac", "-Xlint:all", "-Werror", "-d", tmp_path, JAVA, tmp_path / "Show.java")

    shown = run(
        home / "bin" / "java", "-Xcheck:jni", f"-Djava.library.path={cmake}", "-cp", tmp_path, "Show", FILE, broken
    )

    lines = shown.splitlines()
    assert lines[0].split() == list(map(str, tokenizer.encode(TEXT)))
    assert lines[1] == "true"
    assert lines[2] == f"{len(tokenizer.stop_ids)} {len(tokenizer.spec.config.chat_templates['default'])}"
    assert lines[3].startswith("offset 0: not a compact tokenizer file")


def _units(text: str) -> list[int]:
    data = text.encode("utf-16-le")
    return [data[at] | data[at + 1] << 8 for at in range(0, len(data), 2)]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    clang = compiler("clang++")
    program = tmp_path_factory.mktemp("fuzzer") / "fuzz"
    flags = ["-std=c++17", "-O1", "-fno-exceptions", "-fno-rtti", "-fsanitize=fuzzer,address,undefined"]
    flags += ["-fno-sanitize-recover=undefined", "-DTKL_LIBFUZZER", "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"]
    sources = [SOURCES / "fuzz.cpp", SOURCES / "tokenizers_lite.cpp"]
    done = subprocess.run([clang, *flags, *sources, "-o", program], capture_output=True, text=True)
    if done.returncode and "clang_rt.fuzzer" in done.stderr:
        pytest.skip("needs libFuzzer's runtime (Debian: libclang-rt-*-dev)")
    assert done.returncode == 0, done.stderr[-2000:]
    return program


@pytest.mark.parametrize("fixed", [None, FILE], ids=["files", "texts"])
def test_the_fuzzer_runs(fuzzer, tmp_path, fixed, tokenizer):
    """A short run of libFuzzer: it builds, starts from a real file or texts, and finds nothing in a moment."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    seeds.joinpath("text").write_text(TEXT, "utf-8")
    environment = dict(os.environ, TKL_FUZZ_FILE=str(fixed)) if fixed else None
    run(fuzzer, "-runs=300", "-max_total_time=20", "-seed=1", seeds, env=environment, cwd=tmp_path)
