"""The running exchange around the book and the money."""

from exchange.build import choose

__version__ = "0.1.0"

choose()  # Before anything of the core is imported: its sources, or what was compiled from them.
