"""A queue of bytes in a file without a name: what memory should not hold, and a crash may lose."""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import Final

_LENGTH: Final = struct.Struct("<I")


class Spool:
    """First in, first out; it gives its disk back whenever it runs empty. One thread at a time."""

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115
        self._begin = self._end = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        """What lies in the file and was not taken."""
        return self._end - self._begin

    def append(self, data: bytes) -> None:
        """Put `data` behind all else, into the system's cache; OSError where the disk is full."""
        left = memoryview(_LENGTH.pack(len(data)) + data)
        at = self._end
        while left:
            written = os.pwrite(self._file.fileno(), left, at)
            at += written
            left = left[written:]
        self._end = at
        self._count += 1

    def take(self) -> bytes | None:
        """The first that was put in, or None if there is none."""
        if not self._count:
            return None
        fd = self._file.fileno()
        (length,) = _LENGTH.unpack(os.pread(fd, _LENGTH.size, self._begin))
        data = os.pread(fd, length, self._begin + _LENGTH.size)
        assert len(data) == length
        self._begin += _LENGTH.size + length
        self._count -= 1
        if not self._count:
            self._begin = self._end = 0
            os.ftruncate(fd, 0)
        return data

    def close(self) -> None:
        """Let it go, and all that is in it."""
        self._file.close()
