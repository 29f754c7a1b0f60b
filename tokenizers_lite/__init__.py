"""Hugging Face token ids in pure Python: exact, quick to start, no compiled code."""

from __future__ import annotations

__version__ = "0.1.0"
