"""Readers: a file of some kind -> `Spec`."""
