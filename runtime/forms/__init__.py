"""The forms of decoder graphs in the field, and one way to drive them all."""

from __future__ import annotations

from runtime.forms.base import Driver as Driver
from runtime.forms.detect import open_driver as open_driver
