"""A process that runs until it is told to stop: signals, the loop, the collector, the exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

from exchange import logs

STOPS: Final = (signal.SIGINT, signal.SIGTERM)
CANCEL_AGAIN_S: Final = 0.25
COLLECT_AFTER: Final = 20_000  # Objects; little of what commands leave behind is in cycles.

log = logging.getLogger(__name__)


class Service(Protocol):
    """Something that was started and runs by itself."""

    failed: bool

    def ask_to_stop(self) -> None:
        """Let `wait` return."""

    async def wait(self) -> None:
        """Return when a stop was asked for, or a fault ended it; see `failed`."""

    async def stop(self) -> None:
        """End it and let go of everything; may be called at any time, and again."""


S = TypeVar("S", bound=Service)


def run(
    start: Callable[[], Awaitable[S]],
    on_open: Callable[[S], Awaitable[None]] | None = None,
    *,
    refusals: tuple[type[Exception], ...] = (),
) -> int:
    """Run what `start` answers until Ctrl-C or SIGTERM; the exit code: 0, or 1 over a fault.

    `on_open` is awaited once it runs. What `refusals` say in a line when starting is printed.
    """
    logs.configure()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_serve(start, on_open))
    except asyncio.CancelledError:
        log.info("stopped before it was open")
        return 0
    except refusals as error:
        print(f"papertape: {error}", file=sys.stderr)
        return 1


async def _serve(
    start: Callable[[], Awaitable[S]], on_open: Callable[[S], Awaitable[None]] | None
) -> int:
    loop, starting = asyncio.get_running_loop(), asyncio.ensure_future(start())
    for number in STOPS:
        loop.add_signal_handler(number, _give_up, starting)
    service = await starting
    try:
        gc.collect()
        gc.freeze()  # What is there now stays; the collector need not look at it again.
        gc.set_threshold(COLLECT_AFTER)
        for number in STOPS:
            loop.add_signal_handler(number, _interrupted, service, number)
        if on_open is not None:
            await on_open(service)
        await service.wait()
    finally:
        await service.stop()
    return 1 if service.failed else 0


def _give_up(starting: asyncio.Future[S]) -> None:
    """Cancel a start; again where it did not hear of it (see `ended`)."""
    if not starting.done():
        starting.cancel()
        asyncio.get_running_loop().call_later(CANCEL_AGAIN_S, _give_up, starting)


async def asked_or_ended(asked: asyncio.Event, *tasks: asyncio.Task[Any]) -> None:
    """Return when a stop is asked for, or one of the tasks has ended by itself."""
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait([asking, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        asking.cancel()


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and return when they have ended, whatever they raised.

    They are cancelled until they hear of it: before Python 3.12 `asyncio.wait_for`, which redis-py
    sends with, swallows a cancellation that comes in the moment its work is done.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def _interrupted(service: Service, number: int) -> None:
    log.info("stopping: %s", signal.Signals(number).name)
    service.ask_to_stop()
    # Whoever asks twice does not want to wait.
    asyncio.get_running_loop().remove_signal_handler(number)
    signal.signal(number, signal.SIG_DFL)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fast loop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - An optional extra.
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
