"""From weights to streamed text with onnxruntime and numpy alone.

>>> import runtime  # doctest: +SKIP
>>> model = runtime.load("exported/smollm2")  # doctest: +SKIP
>>> for piece in runtime.Chat(model).ask("What is the capital of France?"):  # doctest: +SKIP
...     print(piece, end="", flush=True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.chat import Chat as Chat
    from runtime.export import export as export
    from runtime.generator import Generator as Generator
    from runtime.graph.decoder import GraphOptions as GraphOptions
    from runtime.graph.linear import Precision as Precision
    from runtime.model import load as load
    from runtime.sampling import Sampling as Sampling
    from runtime.session import SessionOptions as SessionOptions
    from runtime.settings import Settings as Settings
    from runtime.settings import Statistics as Statistics
    from runtime.stream import Stream as Stream

_HOMES = {
    "Chat": "chat",
    "Generator": "generator",
    "GraphOptions": "graph.decoder",
    "Precision": "graph.linear",
    "Sampling": "sampling",
    "SessionOptions": "session",
    "Settings": "settings",
    "Statistics": "settings",
    "Stream": "stream",
    "export": "export",
    "load": "model",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - names resolved by __getattr__


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: onnxruntime and onnx are heavy, and optional."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"runtime.{_HOMES[name]}"), name)
    return value
