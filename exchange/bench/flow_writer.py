"""Writes a flow of commands for `bench matcher`, and beside it the digest that a book must reach.

A flow is drawn from a seed, and the digest is worked out by a plain book of its own, so that the
two prove each other. `small` and `deep` without further options are the standard flows:

  papertape bench flow small
  papertape bench matcher --flow flow_small.bin --expect flow_small.digest.json

Another seed or shape makes another flow of the same format: records of 32 bytes, little-endian
(op u8, side u8, owner u16, zero u32, id i64, price i64, quantity i64); op 0 is a GTC limit, 1 an
IOC limit, 2 a market order, 3 a cancel; side 0 buys.

  papertape bench flow small --seed 7 --commands 50000 --out mine.bin
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from exchange.bench.flow import RECORD, FlowRecord
from exchange.bench.flow_maker import STANDARD, FlowMaker, Shape
from exchange.bench.measure import show_progress

CHUNK_RECORDS: Final = 20_000


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench flow`."""
    parser.add_argument(
        "size",
        choices=tuple(STANDARD),
        help="small: 5,000 orders steered for and 60 ticks around the price; deep: 100,000 and 800",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="another draw of the same shape")
    parser.add_argument("--commands", type=_count, metavar="N", help="how many commands")
    parser.add_argument("--resting", type=_count, metavar="N", help="orders the book tends to hold")
    parser.add_argument("--distance", type=_count, metavar="TICKS", help="of limits, on average")
    parser.add_argument(
        "--prefill", type=_count, metavar="N", help="passive limits that come first"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: flow_SIZE.bin, here")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Write the flow and its digest; 1 if they cannot be written."""
    shape = shape_of(args)
    out: Path = args.out or Path(f"flow_{args.size}.bin")
    try:
        report = write(shape, out)
    except OSError as error:
        print(f"bench flow: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report))
    else:
        print(
            f"{out}: {report['commands']} commands, {report['trades']} trades,"
            f" {report['resting']} orders left resting; digest in {report['digest_file']}"
        )
    return 0


def shape_of(args: Namespace) -> Shape:
    """The standard shape of a size, with whatever was asked otherwise."""
    names = ("seed", "commands", "resting", "distance", "prefill")
    asked = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    return msgspec.structs.replace(STANDARD[args.size], **asked)


def write(shape: Shape, out: Path) -> dict[str, object]:
    """Write a flow to a file and its digest beside it; what was written."""
    started = time.perf_counter()
    maker = FlowMaker(shape)
    digest_file = out.with_suffix(".digest.json")
    with out.open("wb") as file:
        for chunk in _chunks(maker.records()):
            file.write(b"".join(RECORD.pack(*record) for record in chunk))
            show_progress("commands", sum(maker.ops), shape.commands)
    digest = maker.digest()
    digest_file.write_text(json.dumps(digest, indent=1), encoding="utf-8")
    return {
        "bench": "flow",
        "flow": str(out),
        "digest_file": str(digest_file),
        "shape": msgspec.to_builtins(shape),
        "seconds": round(time.perf_counter() - started, 3),
        "commands": digest["commands"],
        "trades": digest["trades"],
        "resting": digest["resting"],
        "digest": digest,
    }


def _chunks(records: Iterable[FlowRecord]) -> Iterable[list[FlowRecord]]:
    chunk: list[FlowRecord] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK_RECORDS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
