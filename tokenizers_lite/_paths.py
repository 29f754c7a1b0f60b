"""Where things live on this machine: our cache, Hugging Face's cache, the user's own folders."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environment = Mapping[str, str]

_TRUE = {"1", "on", "yes", "true"}


def flag(name: str, environ: Environment = os.environ) -> bool:
    """Say whether an environment variable is switched on (1, on, yes, true; as huggingface_hub reads them)."""
    return environ.get(name, "").strip().lower() in _TRUE


def is_offline(offline: bool | None = None, environ: Environment = os.environ) -> bool:
    """Decide whether the network may be used: the argument if given, else the environment's flags."""
    if offline is not None:
        return offline
    return any(flag(name, environ) for name in ("TOKENIZERS_LITE_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def home(environ: Environment = os.environ) -> str:
    """Return the home folder, or a folder under the temporary one where there is none (some Android processes)."""
    found = environ.get("HOME") or os.path.expanduser("~")
    if found and found != "~":
        return found
    import tempfile

    return tempfile.gettempdir()


def cache_dir(environ: Environment = os.environ) -> str:
    """Return the folder in which fetched files are kept. It may not exist yet.

    `TOKENIZERS_LITE_CACHE` names it; otherwise it is where the platform keeps
    caches: `$XDG_CACHE_HOME`, `~/.cache`, `~/Library/Caches` or `%LOCALAPPDATA%`.
    """
    own = environ.get("TOKENIZERS_LITE_CACHE")
    if own:
        return os.path.abspath(os.path.expanduser(own))
    base = environ.get("XDG_CACHE_HOME")
    if not base:
        if sys.platform == "win32":
            base = environ.get("LOCALAPPDATA") or os.path.join(home(environ), "AppData", "Local")
        elif sys.platform == "darwin":
            base = os.path.join(home(environ), "Library", "Caches")
        else:
            base = os.path.join(home(environ), ".cache")
    return os.path.join(os.path.expanduser(base), "tokenizers-lite")


def search_path(environ: Environment = os.environ) -> list[str]:
    """Return the folders of `TOKENIZERS_LITE_PATH`, in order."""
    value = environ.get("TOKENIZERS_LITE_PATH", "")
    return [os.path.expanduser(part) for part in value.split(os.pathsep) if part]


def huggingface_cache(environ: Environment = os.environ) -> str:
    """Return the folder of the Hugging Face cache, found as huggingface_hub finds it (constants.py)."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return os.path.expanduser(environ[name])
    base = environ.get("HF_HOME")
    if not base:
        base = os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home(environ), ".cache"), "huggingface")
    return os.path.join(os.path.expanduser(base), "hub")


def huggingface_token(environ: Environment = os.environ) -> str | None:
    """Return the user's Hugging Face token from `HF_TOKEN` or the file `huggingface-cli login` writes."""
    if flag("HF_HUB_DISABLE_IMPLICIT_TOKEN", environ):
        return None
    token = environ.get("HF_TOKEN") or environ.get("HUGGING_FACE_HUB_TOKEN")
    if not token:
        base = environ.get("HF_HOME") or os.path.join(
            environ.get("XDG_CACHE_HOME") or os.path.join(home(environ), ".cache"), "huggingface"
        )
        path = environ.get("HF_TOKEN_PATH") or os.path.join(os.path.expanduser(base), "token")
        try:
            with open(path, encoding="utf-8") as file:
                token = file.read()
        except OSError:
            return None
    return "".join(token.split()) or None
