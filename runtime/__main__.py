"""``python -m runtime``: the commands of the runtime without the rest of the command line."""

from __future__ import annotations

import sys

from runtime.cli import main

sys.exit(main(sys.argv[1:]))
