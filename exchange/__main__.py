"""The command `papertape`, also `python -m exchange`."""

from __future__ import annotations

import sys

from exchange.cli.commands import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
