"""The lock of a data directory: one process at a time keeps its journal there."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

PID_BYTES_MAX = 32


class DirectoryInUse(Exception):
    """Another process holds the directory; the text names it."""

    def __init__(self, directory: Path, pid: str) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"the data directory {directory} is in use by {holder}; "
            "stop that one first, or give another directory with --data"
        )
        self.directory = directory
        self.pid = int(pid) if pid.isdigit() else None


class DirectoryLock:
    """Holds `directory` until released, or until the process ends however it ends.

    Made by `DirectoryLock.take`; also a context manager. The system keeps the lock (flock), so a
    crash leaves none behind; the file `lock` stays, and tells the pid of the last holder.
    """

    def __init__(self, directory: Path, fd: int) -> None:
        self.directory = directory
        self._fd: int | None = fd

    @classmethod
    def take(cls, directory: Path) -> DirectoryLock:
        """Take the lock, making the directory if it is absent; DirectoryInUse if it is taken."""
        directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(fd, PID_BYTES_MAX, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise DirectoryInUse(directory, pid) from None
        except OSError:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        return cls(directory, fd)

    def release(self) -> None:
        """Let the directory go; a second time does nothing."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> DirectoryLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
