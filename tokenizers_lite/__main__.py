"""``python -m tokenizers_lite``: the command line."""

from tokenizers_lite.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
