"""The same stake both ways, side by side: borrowed coins and a perpetual."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final

from exchange.cli.client import Exchange, find_place
from exchange.cli.output import dash, print_json, table
from exchange.cli.trade import add_connection
from exchange.wire import CompareSay, OutcomeSay, WaySay

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000

EXAMPLES: Final = """\
examples:
  papertape compare BTC --stake 1000 --leverage 10
  papertape compare ETH --side short --leverage 3 --hours 168

Both ways begin at the index and pay as takers, each alone in an isolated wallet. Spot margin
borrows and pays interest by the hour; a perpetual borrows nothing, and longs and shorts pay each
other funding. Nothing is ordered; no key is needed. See docs/compare.md."""


def add_commands(commands: Any) -> None:
    """Add `compare`."""
    command = commands.add_parser(
        "compare",
        help="the same stake on borrowed coins and on a perpetual",
        description="Say what the same stake buys, costs and risks both ways, at this moment.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("base", metavar="ASSET", help="what is bought or sold short, as in BTC")
    command.add_argument("--stake", default="1000", metavar="AMOUNT", help="default: %(default)s")
    command.add_argument("--leverage", type=int, default=10, metavar="N", help="default: 10")
    command.add_argument("--side", choices=("long", "short"), default="long")
    command.add_argument("--hours", type=int, default=24, metavar="N", help="default: 24")
    add_connection(command)
    command.set_defaults(run=compare)


def compare(args: argparse.Namespace) -> int:
    """Print both ways beside one another."""
    query = {
        "base": args.base,
        "stake": args.stake,
        "leverage": str(args.leverage),
        "side": args.side,
        "hours": str(args.hours),
    }
    exchange = Exchange(find_place(args.data, args.url))
    said = exchange.get("/v1/compare", CompareSay, query)
    if args.json:
        print_json(said)
    else:
        print("\n".join(lines(said)))
    return 0


def lines(said: CompareSay) -> Iterator[str]:
    """The comparison as a person reads it."""
    yield (
        f"{said.stake} {said.quote} {said.side} {said.leverage}x {said.base} from {said.price},"
        f" over {said.hours} hours; amounts in {said.quote}"
    )
    ways = [said.spot] if said.perpetual is None else [said.spot, said.perpetual]
    head = ["", *(way.symbol for way in ways)]
    rows = [[name, *(_cell(way, name, said) for way in ways)] for name in _ROWS]
    for at in range(max(len(way.outcomes) for way in ways)):
        told = [way.outcomes[at] if way.outcomes else None for way in ways]
        one = next(each for each in told if each is not None)
        move = f"{int(one.move_percent):+d} % to {one.price}"
        rows.append([move, *(_outcome(each) for each in told)])
    yield table(head, rows)
    for way in ways:
        if not way.accepted:
            yield f"{way.symbol}: {way.message} (at most {way.max_leverage}x) [{way.reason}]"
    if said.perpetual is None:
        yield f"there is no perpetual on {said.base}"


_ROWS: Final = (
    *("quantity", "worth", "borrowed", "fee to open", "fee to close"),
    *("interest an hour", "interest in all", "funding each time", "funding in all"),
    *("margin call at", "liquidation at"),
)


def _cell(way: WaySay, row: str, said: CompareSay) -> str:
    """What one way says in a row."""
    return dash(
        {
            "quantity": way.qty and f"{way.qty} {said.base}",
            "worth": way.notional,
            "borrowed": way.borrow_asset and f"{way.borrowed} {way.borrow_asset}",
            "fee to open": way.open_fee,
            "fee to close": way.close_fee,
            "interest an hour": way.interest_per_hour,
            "interest in all": way.interest,
            "funding each time": _each(way),
            "funding in all": way.funding,
            "margin call at": way.margin_call_price,
            "liquidation at": way.liquidation_price,
        }[row]
    )


def _each(way: WaySay) -> str | None:
    if way.funding_interval_ms is None:
        return None
    hours, rest_ms = divmod(way.funding_interval_ms, HOUR_MS)
    minutes = way.funding_interval_ms // MINUTE_MS
    return f"{way.funding_each} every {f'{minutes} min' if rest_ms else f'{hours} h'}"


def _outcome(each: OutcomeSay | None) -> str:
    if each is None:
        return dash(None)
    if each.liquidated:
        return f"liquidated, at worst {each.profit}"
    return f"{each.profit} ({each.return_percent} %)"
