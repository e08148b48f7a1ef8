"""The running exchange around the book and the money."""

__version__ = "0.1.0"
