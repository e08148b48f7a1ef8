"""The journal: every command, in frames appended to segment files, durable before it is obeyed.

What holds on disk, whenever the power fails:

- a frame is written only when the one before it is synced, so a crash can tear only the last;
- a segment is made only when the one before it is synced, so only the last can end torn;
- the file FORMAT is there before the first segment, and names the version of the layout.

Opening therefore cuts a last frame that is not whole and reports it as `torn`. A frame that is not
whole with a whole one behind it cannot come from a crash: that is JournalCorrupt, and nothing is
cut.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from exchange.storage.durable import sync_directory
from exchange.storage.frames import GENESIS, Frame, encoded, hashed
from exchange.storage.segments import (
    JournalCorrupt,
    Located,
    SegmentFile,
    Torn,
    check_format,
    create_format,
    first_seq_of,
    segment_path,
    segments_in,
    walk,
)

SEGMENT_BYTES: Final = 64 * 1024 * 1024

OpenSegment = Callable[[Path], SegmentFile]


class JournalFailed(Exception):
    """A write or a sync failed: what is on disk is unknown until the journal is opened again."""


class Journal:
    """A journal open for appending: one process, any of its threads. See `Journal.open`."""

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        open_segment: OpenSegment = SegmentFile,
    ) -> None:
        self.directory = directory
        self.torn: Torn | None = None
        self._segment_bytes = segment_bytes
        self._open_segment = open_segment
        self._lock = threading.RLock()
        self._segments = segments_in(directory)
        self._file: SegmentFile | None = None  # The last segment.
        self._last_seq = self._synced_seq = 0
        self._chain = GENESIS
        self._failed: str | None = None

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        open_segment: OpenSegment = SegmentFile,
    ) -> Journal:
        """Open or create the journal in `directory`, ready to append behind its last whole frame.

        Reads the last segment. Raises JournalCorrupt, JournalVersion or OSError. The caller
        holds the data directory's lock.
        """
        if not directory.is_dir():
            directory.mkdir(parents=True)
            sync_directory(directory.parent)
        create_format(directory)
        check_format(directory)
        journal = cls(directory, segment_bytes=segment_bytes, open_segment=open_segment)
        last = journal._last_frame()
        if last is not None:
            journal._go_on_behind(last)
        return journal

    @property
    def first_seq(self) -> int:
        """The first seq still kept; behind `last_seq` in an empty journal."""
        with self._lock:
            return first_seq_of(self._segments[0]) if self._segments else self._last_seq + 1

    @property
    def last_seq(self) -> int:
        """The last seq appended; 0 in an empty journal."""
        return self._last_seq

    @property
    def synced_seq(self) -> int:
        """The last seq that is durable."""
        return self._synced_seq

    @property
    def chain(self) -> bytes:
        """The hash of the last frame appended; GENESIS in an empty journal."""
        return self._chain

    @property
    def chain_hex(self) -> str:
        """`chain`, for people."""
        return self._chain.hex()

    @property
    def failed(self) -> str | None:
        """Why nothing can be appended any more, or None."""
        return self._failed

    @property
    def size_bytes(self) -> int:
        """What the segments hold on disk."""
        with self._lock:
            return sum(path.stat().st_size for path in self._segments)

    def append(self, first_seq: int, count: int, payload: bytes) -> None:
        """Write one group into the system's cache; it is durable when `sync` returns.

        `first_seq` follows `last_seq`. A group before that is not synced yet is synced first.
        Raises JournalFailed where that or the write fails, and ever after.
        """
        with self._lock:
            self.sync()
            assert first_seq == self._last_seq + 1, (first_seq, self._last_seq)
            frame = encoded(first_seq, count, payload, self._chain)
            try:
                file = self._file_for(first_seq, len(frame))
                file.write(frame, file.size)
            except OSError as error:
                raise self._fail("write to", error) from error
            self._last_seq = first_seq + count - 1
            self._chain = hashed(frame)

    def sync(self) -> None:
        """Return when all that was appended is durable; JournalFailed if that cannot be known.

        After a failure the system may have dropped the bytes and forgotten so: nothing more may
        be appended until the journal was opened again, which writes its last frame anew.
        """
        with self._lock:
            if self._failed is not None:
                raise JournalFailed(self._failed)
            if self._file is None or self._synced_seq == self._last_seq:
                return
            try:
                self._file.sync()
            except OSError as error:
                raise self._fail("sync", error) from error
            self._synced_seq = self._last_seq

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Make one group durable; for a worker thread. Errors as of `append` and `sync`."""
        with self._lock:
            self.append(first_seq, count, payload)
            self.sync()

    def frames(self, from_seq: int | None = None) -> Iterator[Frame]:
        """The durable frames from the one that holds `from_seq`, or from the first kept.

        Checksums, chain and seqs are verified: JournalCorrupt where they do not hold,
        JournalPruned where `from_seq` is no longer kept. Frames appended meanwhile are left out.
        """
        with self._lock:
            segments, to_seq = list(self._segments), self._synced_seq
        for located in walk(segments, from_seq, to_seq):
            yield located.frame

    def prune(self, before_seq: int, *, keep_bytes: int = 0, keep_after_s: float = 0) -> list[Path]:
        """Remove whole segments that hold only seqs below `before_seq`; answers their paths.

        Segments are spared while no more than `keep_bytes` lie in and behind them, unless last
        written before `keep_after_s` (epoch seconds of the wall). The last durable frame stays.
        """
        removed = []
        with self._lock:
            sizes = {path: path.stat().st_size for path in self._segments}
            while len(self._segments) > 1:
                oldest, next_first = self._segments[0], first_seq_of(self._segments[1])
                if next_first > before_seq or next_first > self._synced_seq:
                    break
                spared = sum(sizes.values()) <= keep_bytes
                if spared and oldest.stat().st_mtime >= keep_after_s:
                    break
                oldest.unlink()
                del sizes[oldest]
                removed.append(self._segments.pop(0))
            if removed:
                sync_directory(self.directory)
        return removed

    def close(self) -> None:
        """Let go of the file, without syncing."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._failed = self._failed or "the journal is closed"

    def _file_for(self, first_seq: int, size: int) -> SegmentFile:
        """The last segment, or a new one where the frame would fill it past its bound."""
        if self._file is not None:
            if self._file.size + size <= self._segment_bytes or self._file.size == 0:
                return self._file
            self._file.close()
            self._file = None
        path = segment_path(self.directory, first_seq)
        self._file = self._open_segment(path)
        self._segments.append(path)
        sync_directory(self.directory)
        return self._file

    def _fail(self, deed: str, error: OSError) -> JournalFailed:
        self._failed = f"could not {deed} the journal in {self.directory}: {error}"
        return JournalFailed(self._failed)

    def _last_frame(self) -> Located | None:
        """The last whole frame, once what a crash left behind it is out of the way."""
        last = self._last_in_last_segment(may_be_torn=True)
        if last is not None or not self._segments:
            return last
        # A last segment without a frame was being made when the power failed.
        unborn = self._segments.pop()
        last = self._last_in_last_segment(may_be_torn=False)
        follows = last.frame.last_seq + 1 if last is not None else 1
        if first_seq_of(unborn) != follows:
            raise JournalCorrupt(unborn, 0, f"it holds no frame, and seq {follows} comes next")
        unborn.unlink()
        sync_directory(self.directory)
        return last

    def _last_in_last_segment(self, *, may_be_torn: bool) -> Located | None:
        last = None
        for last in walk(  # noqa: B007 - The last one is what we are after.
            self._segments[-1:], report=self._note_torn, may_be_torn=may_be_torn
        ):
            pass
        return last

    def _note_torn(self, torn: Torn) -> None:
        self.torn = torn

    def _go_on_behind(self, last: Located) -> None:
        """Append behind this frame from now on, and make sure that it is durable itself.

        After a failed sync the system may hold bytes in its cache that it will never write, and
        a later sync says nothing of them. Writing the frame again makes them dirty again.
        """
        frame = last.frame
        raw = encoded(frame.first_seq, frame.count, frame.payload, frame.previous)
        self._file = self._open_segment(last.path)
        self._file.cut(last.offset + frame.size)
        self._file.write(raw, last.offset)
        self._file.sync()
        sync_directory(self.directory)
        self._last_seq = self._synced_seq = frame.last_seq
        self._chain = frame.chain
