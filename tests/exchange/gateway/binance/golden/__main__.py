"""Record every script anew, or those that are named: `python -m ...golden spot_orders`."""

from __future__ import annotations

import asyncio
import sys

from tests.exchange.gateway.binance.golden.playing import SUBJECTS, answers_of, played


def record(names: list[str]) -> None:
    """Write what each script is answered now beside it."""
    for subject in names or SUBJECTS:
        lines = asyncio.run(played(subject))
        answers_of(subject).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        print(f"{subject}: {len(lines)} lines")


if __name__ == "__main__":
    record(sys.argv[1:])
