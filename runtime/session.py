"""onnxruntime sessions: options by name, errors by type, and runs that Ctrl-C can end."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.errors import MissingDependencyError, ModelFileError, PromptError
from runtime.mapped import release_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    T = TypeVar("T")

try:
    import onnxruntime as ort  # type: ignore[import-untyped,import-not-found,unused-ignore]
except ImportError as error:  # pragma: no cover - exercised by hand
    message = "running a model needs onnxruntime: pip install 'tokenizers-lite[runtime]'"
    raise MissingDependencyError(message) from error

__all__ = ["LEVELS", "SessionOptions", "TerminatedError", "open_session", "ort", "run_interruptibly", "version"]

LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_FATAL_ONLY = 4  # errors are raised, and a run that Ctrl-C ends is none
_UNTILED = "ORT_GQA_DISABLE_FLASH_ATTENTION"
_MARK = "[ONNXRuntimeError] : "
_ADVICE = {
    "external": "the weights file beside it is missing or cut short; copy it again, or export again. ",
    "protobuf": "it is not an ONNX file, or was cut short; copy it again, or export again. ",
}


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """The settings of onnxruntime that matter for decoding.

    Args:
        threads: threads inside an operator; 0 lets onnxruntime take all cores.
        inter_threads: threads across operators; more than 1 switches to parallel execution.
        spinning: let idle threads spin: faster steps, busier cores.
        arena: keep freed memory for the next step.
        memory_pattern: plan memory per shape; off, since every step has a new shape.
        tiled_attention: let GroupQueryAttention cut its work into tiles, as newer versions of onnxruntime do
            unless told otherwise: less memory for very long prompts, slower for small models.
        optimization: ``none``, ``basic``, ``extended`` or ``all``.
        entries: further session config entries, passed through.
        providers: execution providers in order of preference.
    """

    threads: int = 0
    inter_threads: int = 1
    spinning: bool = True
    arena: bool = True
    memory_pattern: bool = False
    tiled_attention: bool = False
    optimization: str = "all"
    entries: Mapping[str, str] | None = None
    providers: Sequence[str] = ("CPUExecutionProvider",)

    def __post_init__(self) -> None:
        """Refuse what onnxruntime would ignore or fail on."""
        if self.threads < 0 or self.inter_threads < 1:
            raise PromptError(
                f"threads must be 0 or more and inter_threads 1 or more (got {self.threads}, {self.inter_threads})"
            )
        if self.optimization not in LEVELS:
            raise PromptError(f"optimization must be one of {', '.join(LEVELS)} (got {self.optimization!r})")

    def native(self) -> Any:
        """Return onnxruntime's own object."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = self.inter_threads
        if self.inter_threads > 1:
            options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
        options.enable_cpu_mem_arena = self.arena
        options.enable_mem_pattern = self.memory_pattern
        options.graph_optimization_level = LEVELS[self.optimization]
        options.log_severity_level = _FATAL_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(self.spinning)))
        for key, value in (self.entries or {}).items():
            options.add_session_config_entry(key, value)
        return options


def version(text: str) -> tuple[int, int]:
    """Return major and minor number.

    >>> version("1.20.1+cpu") < version("1.24")
    True
    """
    major, minor, *_ = text.split(".")
    return int(major), int(minor)


def open_session(
    path: str | os.PathLike[str], options: SessionOptions | None = None, lent: Mapping[str, Any] | None = None
) -> Any:
    """Load a graph.

    Args:
        path: the ``.onnx`` file.
        options: session options.
        lent: weights by name that other sessions use too; the caller keeps their memory alive.

    Raises:
        ModelFileError: the file is missing, or onnxruntime cannot load it.
    """
    file = os.fspath(path)
    if not os.path.exists(file):
        raise ModelFileError("no such graph", file=file)
    if file.endswith((".gguf", ".safetensors")):
        raise ModelFileError("these are weights, not a graph; runtime.export makes one of them", file=file)
    options = options or SessionOptions()
    native = options.native()
    for name, value in (lent or {}).items():
        native.add_initializer(name, value)
    try:
        with _attention(tiled=options.tiled_attention):
            session = ort.InferenceSession(file, native, providers=list(options.providers))
    except Exception as error:
        raise unloadable(file, error) from error
    release_beside(file)
    return session


@contextlib.contextmanager
def _attention(*, tiled: bool) -> Iterator[None]:
    """Choose the kernel of GroupQueryAttention; onnxruntime asks the environment while it makes a session."""
    if tiled or _UNTILED in os.environ:
        yield
        return
    os.environ[_UNTILED] = "1"
    try:
        yield
    finally:
        os.environ.pop(_UNTILED, None)


def unloadable(file: str, error: Exception) -> ModelFileError:
    """Say why onnxruntime does not load a graph, and what to do."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    advice = next((text for sign, text in _ADVICE.items() if sign in reason.lower()), "")
    detail = reason.rpartition(_MARK)[2][:300]
    return ModelFileError(f"onnxruntime {ort.__version__} cannot load the graph: {advice}{detail}", file=file)


class TerminatedError(Exception):
    """A run was ended before its result; what it was to append was not appended."""


def run_interruptibly(run: Callable[[Any], T], stopped: threading.Event | None = None) -> T:
    """Call ``run(run_options)`` so that Ctrl-C, or ``stopped``, ends it within a tenth of a second.

    onnxruntime holds the interpreter until a run returns, so the run happens in a thread of its
    own and is told to terminate.

    Raises:
        KeyboardInterrupt: as the main thread received it, once the run has stopped.
        TerminatedError: ``stopped`` was set before the run was over.
    """
    run_options = ort.RunOptions()
    if threading.current_thread() is not threading.main_thread():
        return run(run_options)
    outcome: list[T] = []
    failure: list[BaseException] = []
    done = threading.Event()  # Thread.join, interrupted, takes the thread for finished (bpo-45274)

    def work() -> None:
        try:
            outcome.append(run(run_options))
        except BaseException as error:  # handed to the waiting thread
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        while not done.wait(0.05):
            if stopped is not None and stopped.is_set():
                run_options.terminate = True
    except KeyboardInterrupt:
        run_options.terminate = True
        done.wait()
        raise
    if failure and run_options.terminate:
        raise TerminatedError from failure[0]
    if failure:
        raise failure[0]
    return outcome[0]
