"""Giving memory back that loading a model has read once and running it does not need.

onnxruntime maps the weights file and packs most weights into memory of its own. What it does not unmap then
stays in the process's account: scales that were packed too, and the embedding where it is the output matrix as
well, of which only the rows of the prompt's tokens are looked up again. The system would drop such pages under
pressure; here it is told at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DONTNEED = 4  # MADV_DONTNEED: the pages of a file's mapping are read again when they are touched


def release_beside(path: str) -> int:
    """Drop the pages of all mapped files in the folder of a graph; they stay in the system's file cache.

    Returns:
        Bytes of the mappings told about; 0 where the platform does not say what is mapped.
    """
    if sys.platform != "linux":
        return 0
    folder = os.path.dirname(os.path.realpath(path)) + os.sep
    try:
        with open("/proc/self/smaps", encoding="utf-8", errors="surrogateescape") as stream:
            ranges = [(start, end) for start, end, file in unchanged(stream) if file.startswith(folder)]
    except OSError:  # a sandbox without /proc
        return 0
    import ctypes

    advise = ctypes.CDLL(None).madvise
    for start, end in ranges:
        advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
    return sum(end - start for start, end in ranges)


def unchanged(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and file of the mappings in ``/proc/self/smaps`` of which no page was written to.

    A page written to in a private mapping is in no file, and would be lost; all others are in the file's cache.
    """
    start = end = 0
    file, written = "", 0
    for line in lines:
        head, _, rest = line.partition(" ")
        if not head.endswith(":"):
            low, _, high = head.partition("-")
            start, end = int(low, 16), int(high, 16)
            fields = rest.split(maxsplit=4)
            file, written = fields[4].rstrip("\n") if len(fields) == 5 else "", 0
        elif head in ("Anonymous:", "Swap:"):
            written += int(rest.split()[0])
        elif head == "VmFlags:" and file.startswith("/") and not written:
            yield start, end, file
