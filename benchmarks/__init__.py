"""Benchmarks against other tokenizers: ``python -m benchmarks --help``."""
