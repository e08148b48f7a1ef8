"""Making bytes and names durable: what a power failure must not take back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "darwin":
    import fcntl


def sync_file(fd: int) -> None:
    """Return when the file's bytes, and its length, are on the medium; OSError if not."""
    if sys.platform == "darwin":
        # There fsync only reaches the drive's cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)


def sync_directory(directory: Path) -> None:
    """Return when the names in a directory (files made, renamed, removed) are durable."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: Path, *parts: bytes, mode: int = 0o644) -> None:
    """Put a file in place whole or not at all: beside it first, synced, then renamed."""
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(fd, "wb", closefd=False) as file:
            for part in parts:
                file.write(part)
        sync_file(fd)
    finally:
        os.close(fd)
    os.replace(beside, path)
    sync_directory(path.parent)
