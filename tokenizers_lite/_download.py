"""One file over HTTP: url -> a file that is whole, or the reason why not."""

from __future__ import annotations

import os

from tokenizers_lite.errors import TokenizerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPResponse

LIMIT = 256 << 20  # bytes; no tokenizer file is larger, a model's weights are
CHUNK = 1 << 18


class FetchError(TokenizerError):
    """One source could not deliver; the next one may."""


def download(url: str, path: str, token: str | None = None) -> bool:
    """Download one file; False if the server says there is none.

    The token is not sent on to the host that the server redirects to.

    Raises:
        FetchError: the server refuses, is out of reach, or sent less than it announced.
    """
    import urllib.error
    import urllib.request

    from tokenizers_lite import __version__

    request = urllib.request.Request(url, headers={"User-Agent": f"tokenizers-lite/{__version__}"})  # noqa: S310 - http(s) by construction
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_timeout()) as response:  # noqa: S310
            _save(response, path, os.path.basename(path))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise FetchError(_refusal(error.code, error.reason)) from None
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(f"not reached: {getattr(error, 'reason', error)}") from error
    return True


def _refusal(code: int, reason: object) -> str:
    if code in (401, 403):
        return f"HTTP {code}: access refused; accept the licence at the model's page and set HF_TOKEN"
    return f"HTTP {code}: {reason}"


def _timeout() -> float:
    try:
        return float(os.environ.get("TOKENIZERS_LITE_TIMEOUT", ""))
    except ValueError:
        return 20.0


def _save(response: HTTPResponse, path: str, label: str) -> None:
    from tokenizers_lite.progress import Bar

    length = response.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    if total is not None and total > LIMIT:
        raise FetchError(f"{label} has {total:,} bytes; no tokenizer file is that large")
    with open(path, "wb") as file, Bar(label, total) as bar:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            if bar.done > LIMIT:
                raise FetchError(f"{label} has more than {LIMIT:,} bytes; no tokenizer file is that large")
        file.flush()
        os.fsync(file.fileno())
    if total is not None and bar.done != total:
        raise FetchError(f"{label} broke off after {bar.done:,} of {total:,} bytes")
