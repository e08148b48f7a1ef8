"""`scripts/january TAPE`: a month of recorded prices against the real exchange."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clients.errors import PapertapeError
from clients.january.month import HOUR_MS, Month, Plan
from clients.january.people import four_traders
from clients.january.progress import Progress, duration
from clients.january.report import Fate, report
from clients.january.server import Market, Server, ServerFailed
from clients.january.tape import Tape, TapeError, utc

INTERRUPTED: Final = 130
WARM_UP_MS: Final = HOUR_MS  # The market opens so long before the traders come,
WARM_UP_LEAST_MS: Final = HOUR_MS // 6  # or as early as the tape begins, if that is enough.
SPEED_MAX: Final = 1_000_000
STEP_LEAST_MS, STEP_MOST_MS = 100, 60_000

DESCRIPTION: Final = """\
Four traders with 1,000 USDT each live through a recorded month, against a real exchange that is
started for them: one borrows 2,000 USDT and buys bitcoin (3x spot margin), one is long a perpetual
at 20x, one short at 5x, and one just holds bitcoin. They open their positions at the beginning of
--begin over a WebSocket; then time passes, as fast as it goes, while interest is charged at every
top of the hour and funding every eight hours. At the end: what became of each, to the cent, every
margin call and liquidation with the bar of the tape that it came from, and whether replaying the
exchange's journal comes to the same state."""

EXAMPLES: Final = """\
examples:
  scripts/january january.csv                 in lock-step, as fast as it goes: repeatable
  scripts/january january.csv --kill          SIGKILL in the middle of work, and a restart
  scripts/january january.csv --speed 7200    two hours of market a second
  scripts/january january.csv --port 8080     watch it at http://127.0.0.1:8080 meanwhile
  scripts/january luna.csv --begin 2022-05-07 --end 2022-05-14
  scripts/january january.csv --json > fates.json

The tape is a CSV of candles: a header naming a time, open, high, low and close, or a public dump
of klines, with or without its header; times are ISO (UTC) or digits since 1970. Prices are taken
for bitcoin's, whatever the file is called. Ctrl-C ends the month where it is and prints what is
known so far; a second one leaves at once. The exit code is 0 if the auditor was content throughout
and the journal is sound, 1 if not, 2 for a mistake of use."""


class Mistake(Exception):
    """The command was used wrongly; the text says how, in one line."""


def main(arguments: list[str] | None = None) -> int:
    """Run the month and print what became of everybody; answers the exit code."""
    args = _parser().parse_args(arguments)
    try:
        tape = Tape(args.tape)
        plan = plan_of(args, tape)
        with _folder(args.keep) as folder:
            return asyncio.run(_run(args, tape, plan, folder))
    except (Mistake, TapeError) as error:
        return _complain(str(error), 2)
    except ServerFailed as error:
        return _complain(str(error), 1)
    except PapertapeError as error:
        return _complain(error.message, 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _complain("interrupted", INTERRUPTED)


def _complain(text: str, code: int) -> int:
    print(f"january: {text}", file=sys.stderr)
    return code


# -- what was asked for ------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/january",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tape", metavar="TAPE", type=Path, help="CSV of candles of bitcoin")
    what = parser.add_argument_group("what is played")
    what.add_argument(
        "--begin",
        type=moment,
        default="2022-01-01",
        metavar="TIME",
        help="when the positions are opened, UTC (default: %(default)s)",
    )
    what.add_argument(
        "--end",
        type=moment,
        default="2022-02-01",
        metavar="TIME",
        help="when it is over, UTC (default: %(default)s)",
    )
    what.add_argument("--seed", type=int, default=1, help="of the house agents (default: 1)")
    what.add_argument(
        "--agent-step-ms",
        type=int,
        default=STEP_MOST_MS,
        metavar="MS",
        help="how often the house agents act (default: %(default)s)",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--speed", type=float, metavar="X", help="run freely, X times real time, not in lock-step"
    )
    how.add_argument("--kill", action="store_true", help="SIGKILL in the middle, and a restart")
    how.add_argument("--port", type=int, default=0, help="of the exchange (default: any)")
    how.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the exchange's data and log in a new folder"
    )
    how.add_argument(
        "--no-verify", action="store_true", help="do not replay the journal at the end"
    )
    how.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def moment(text: str) -> int:
    """A day or a moment of the command line, UTC unless it says else, in epoch milliseconds."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        why = f"a moment is written 2022-01-01 or 2022-01-01T12:30, not {text!r}"
        raise argparse.ArgumentTypeError(why) from None
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    return round(told.timestamp() * 1_000)


def plan_of(args: argparse.Namespace, tape: Tape) -> Plan:
    """The plan of the arguments; a Mistake where it cannot be followed on this tape."""
    if args.end <= args.begin:
        raise Mistake(f"--end ({utc(args.end)}) must lie behind --begin ({utc(args.begin)})")
    if not tape.covers(args.begin, args.end):
        raise Mistake(
            f"{tape.path} covers {utc(tape.first_ms)} to {utc(tape.end_ms)} UTC, not "
            f"{utc(args.begin)} to {utc(args.end)}: choose --begin and --end within it"
        )
    if args.speed is not None and not 0 < args.speed <= SPEED_MAX:
        raise Mistake(f"--speed lies between 0 and {SPEED_MAX}")
    if not STEP_LEAST_MS <= args.agent_step_ms <= STEP_MOST_MS:
        raise Mistake(f"--agent-step-ms lies between {STEP_LEAST_MS} and {STEP_MOST_MS}")
    if args.seed < 0:
        raise Mistake("--seed is not negative")
    return Plan(args.begin, args.end, args.speed, args.kill, args.agent_step_ms)


def market_of(args: argparse.Namespace, tape: Tape, plan: Plan) -> Market:
    """What the exchange plays: it opens a little before the traders come."""
    start_ms = plan.begin_ms - WARM_UP_MS
    if start_ms < tape.first_ms <= plan.begin_ms - WARM_UP_LEAST_MS:
        start_ms = tape.first_ms
    return Market(
        tape=tape.path,
        start_ms=start_ms,
        seed=args.seed,
        agent_step_ms=args.agent_step_ms,
        speed=args.speed,
        port=args.port,
    )


def _folder(keep: Path | None) -> contextlib.AbstractContextManager[Path]:
    """Where the exchange keeps everything: a folder that goes at the end, or the one named."""
    if keep is None:
        return _throw_away()
    try:
        keep.mkdir(parents=True)
    except FileExistsError:
        raise Mistake(f"--keep wants a new folder, and {keep} is there already") from None
    except OSError as error:
        raise Mistake(f"--keep {keep}: {error.strerror}") from None
    return contextlib.nullcontext(keep.resolve())


@contextlib.contextmanager
def _throw_away() -> Any:
    with tempfile.TemporaryDirectory(prefix="january-") as name:
        yield Path(name)


# -- doing it ----------------------------------------------------------------------------------


class Interrupts:
    """Ctrl-C and its kin: the first one is gentle where somebody knows how, others are not."""

    NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.gently: Callable[[], None] | None = None
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        for number in self.NUMBERS:
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        if self.gently is None:
            self._task.cancel()
        else:
            self.gently()
            self.gently = None


async def _run(args: argparse.Namespace, tape: Tape, plan: Plan, folder: Path) -> int:
    """Start the exchange, live through the month, tell, verify."""
    interrupts = Interrupts()
    progress = Progress(sys.stderr, plan.begin_ms, plan.end_ms)
    started_s = time.monotonic()
    async with Server(folder, market_of(args, tape, plan)) as server:
        try:
            await server.start()
            progress.say(f"the exchange is open at {server.url}")
            async with Month(server, plan, four_traders(), progress) as month:
                fates, is_over = await _lived(month, interrupts, progress)
        except PapertapeError as error:
            progress.clear()
            raise await server.failure() or error from error
    seconds = time.monotonic() - started_s
    progress.say(f"it took {duration(seconds)}")
    if not args.json:
        print(_told(fates, tape, month), flush=True)
    verified = None
    if is_over and not args.no_verify:
        progress.say("verifying the journal")
        try:
            verified = await server.verify()
        except asyncio.CancelledError:  # Whoever interrupts this still wants what is known.
            progress.say("interrupted: the journal is not verified")
            is_over = False
    if args.json:
        print(json.dumps(_as_json(fates, plan, month, verified, seconds)))
    elif verified is not None:
        print(_verified_text(verified))
    if not is_over:
        return INTERRUPTED
    return 0 if not month.problems and (verified is None or verified["ok"]) else 1


async def _lived(
    month: Month, interrupts: Interrupts, progress: Progress
) -> tuple[list[Fate], bool]:
    """The fates, and whether the month came to its end."""
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        progress.say("stopping behind this step; interrupt again to leave at once")
        month.ask_to_stop()

    interrupts.gently = stop
    await month.live()
    progress.clear()
    if stopped:
        progress.say(f"stopped at {utc(month.now_ms)}")
    fates = await month.fates()
    interrupts.gently = None
    return fates, not stopped


# -- telling it --------------------------------------------------------------------------------


def _told(fates: Sequence[Fate], tape: Tape, month: Month) -> str:
    if not fates:
        return "nobody has taken a position yet"
    audit = "; ".join(month.problems) or "clean throughout"
    return f"{report(fates, tape)}\n\naudit: {audit} ({month.audits} audits)"


def _verified_text(verified: dict[str, Any]) -> str:
    verdict = "sound" if verified["ok"] else f"NOT SOUND: {'; '.join(verified['problems'])}"
    return (
        f"verify: {verdict}; {verified['commands']} commands replayed in "
        f"{duration(verified['seconds'])}, digest {verified['digest']}"
    )


def _as_json(
    fates: Sequence[Fate],
    plan: Plan,
    month: Month,
    verified: dict[str, Any] | None,
    seconds: float,
) -> dict[str, Any]:
    return {
        "begin": plan.begin_ms,
        "end": plan.end_ms,
        "reached": month.now_ms,
        "fates": [asdict(fate) for fate in fates],
        "audits": month.audits,
        "problems": month.problems,
        "verified": verified,
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
