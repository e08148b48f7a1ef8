"""Segment files: where the journal's frames lie, and how they are read back and judged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from exchange.storage.durable import sync_file, write_durably
from exchange.storage.frames import GENESIS, BadFrame, Frame, next_frame_at, read_frame

FORMAT: Final = b"papertape journal 1\n"
SUFFIX: Final = ".segment"
SEQ_DIGITS: Final = 20  # So that names sort as seqs do.
READ_BYTES: Final = 1024 * 1024


class JournalCorrupt(Exception):
    """The journal is damaged where a crash cannot have done it; the text names file and offset."""

    def __init__(self, path: Path, offset: int, why: str) -> None:
        super().__init__(f"the journal is damaged: {path} at byte {offset}: {why}")
        self.path = path
        self.offset = offset
        self.why = why


class JournalVersion(Exception):
    """The directory was written by another version of the layout, or is no journal."""


class JournalPruned(Exception):
    """The frames asked for are no longer kept."""


@dataclass(frozen=True, slots=True)
class Torn:
    """A last frame that is not whole: `size` bytes from `offset` on, bad because of `why`."""

    path: Path
    offset: int
    size: int
    why: str


class Located(NamedTuple):
    """A frame and where it lies."""

    path: Path
    offset: int
    frame: Frame


class SegmentFile:
    """A segment open for writing; tests put one in its place that fails."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self.size = os.lseek(self._fd, 0, os.SEEK_END)

    def write(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`, into the system's cache."""
        left = memoryview(data)
        while left:
            written = os.pwrite(self._fd, left, offset)
            offset += written
            left = left[written:]
        self.size = max(self.size, offset)

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes."""
        os.ftruncate(self._fd, size)
        self.size = size

    def sync(self) -> None:
        """Return when the bytes are durable; OSError if they may not be."""
        sync_file(self._fd)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def segment_path(directory: Path, first_seq: int) -> Path:
    """The segment whose first frame begins with `first_seq`."""
    return directory / f"{first_seq:0{SEQ_DIGITS}d}{SUFFIX}"


def first_seq_of(segment: Path) -> int:
    """The seq a segment begins with, as its name says."""
    return int(segment.name.removesuffix(SUFFIX))


def segments_in(directory: Path) -> list[Path]:
    """The segments of a journal, oldest first."""
    return sorted(path for path in directory.glob(f"*{SUFFIX}") if is_segment(path))


def is_segment(path: Path) -> bool:
    """Is this file's name one that `segment_path` makes?"""
    stem = path.name.removesuffix(SUFFIX)
    return len(stem) == SEQ_DIGITS and stem.isascii() and stem.isdigit()


def check_format(directory: Path) -> None:
    """Raise JournalVersion unless `directory` holds a journal of this layout."""
    path = directory / "FORMAT"
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        raise JournalVersion(f"{directory} is no journal: it has no file FORMAT") from None
    if found != FORMAT:
        raise JournalVersion(
            f"{path} says {found[:40]!r}, and this version of Papertape reads {FORMAT!r} only"
        )


def create_format(directory: Path) -> None:
    """Mark an empty directory as a journal of this layout; leaves any other as it is."""
    if not (directory / "FORMAT").exists() and not segments_in(directory):
        write_durably(directory / "FORMAT", FORMAT)


def frames_in(directory: Path, from_seq: int | None = None) -> Iterator[Frame]:
    """The frames of a journal that is only looked at, running or not; it changes nothing.

    Ends before a last frame that is not whole. Errors as of `walk`, and JournalVersion.
    """
    check_format(directory)
    for located in walk(segments_in(directory), from_seq):
        yield located.frame


def walk(
    segments: Sequence[Path],
    from_seq: int | None = None,
    to_seq: int | None = None,
    *,
    report: Callable[[Torn], None] | None = None,
    may_be_torn: bool = True,
) -> Iterator[Located]:
    """Each frame from the one that holds `from_seq` to the one that holds `to_seq`, verified.

    Raises JournalPruned where `from_seq` lies before the first segment, and JournalCorrupt where
    checksum, chain or seqs do not hold. Only the last frame may be torn, and only if
    `may_be_torn`: it goes to `report`, and the walk ends before it.
    """
    kept = segments[_holding(segments, from_seq) :]
    if not kept:
        return
    walker = _Walker(first_seq_of(kept[0]), to_seq)
    for path in kept:
        torn = None
        for step in walker.through(path):
            if isinstance(step, Torn):
                torn = step
            elif from_seq is None or step.frame.last_seq >= from_seq:
                yield step
        if torn is not None:
            if not may_be_torn or path != kept[-1]:
                raise JournalCorrupt(path, torn.offset, f"{torn.why}, and this is not the last")
            if report is not None:
                report(torn)


def _holding(segments: Sequence[Path], from_seq: int | None) -> int:
    """The index of the segment that holds `from_seq`."""
    if from_seq is None or not segments:
        return 0
    if from_seq < first_seq_of(segments[0]):
        raise JournalPruned(
            f"the journal begins with seq {first_seq_of(segments[0])}; {from_seq} is gone"
        )
    return sum(1 for segment in segments if first_seq_of(segment) <= from_seq) - 1


class _Walker:
    """What comes next on a walk: the seq, and the link of the chain where it is known."""

    def __init__(self, seq: int, to_seq: int | None) -> None:
        self._seq = seq
        self._to_seq = to_seq
        self._chain = GENESIS if seq == 1 else None

    def through(self, path: Path) -> Iterator[Located | Torn]:
        """The frames of one segment; a Torn last where it does not end with a whole frame."""
        if first_seq_of(path) != self._seq:
            raise JournalCorrupt(path, 0, f"seq {self._seq} comes next, but it is not here")
        offset = 0
        with _opened(path) as file:
            while self._to_seq is None or self._seq <= self._to_seq:
                try:
                    frame = read_frame(file)
                except BadFrame as bad:
                    yield _torn(path, file, offset, str(bad))
                    return
                if frame is None:
                    return
                self._follow(path, offset, frame)
                yield Located(path, offset, frame)
                offset += frame.size

    def _follow(self, path: Path, offset: int, frame: Frame) -> None:
        if frame.first_seq != self._seq:
            why = f"the frame begins with seq {frame.first_seq}, but {self._seq} comes next"
            raise JournalCorrupt(path, offset, why)
        if self._chain is not None and frame.previous != self._chain:
            raise JournalCorrupt(path, offset, "the frame does not follow the one before it")
        self._seq = frame.last_seq + 1
        self._chain = frame.chain


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=READ_BYTES)
    except FileNotFoundError:
        raise JournalPruned(f"{path} was pruned before it was read") from None


def _torn(path: Path, file: BinaryIO, offset: int, why: str) -> Torn:
    """A bad frame as a torn end, or JournalCorrupt where a whole frame stands behind it."""
    behind = next_frame_at(file, offset + 1)
    if behind is not None:
        raise JournalCorrupt(path, offset, f"{why}, yet a whole frame stands at byte {behind}")
    return Torn(path, offset, file.seek(0, os.SEEK_END) - offset, why)
