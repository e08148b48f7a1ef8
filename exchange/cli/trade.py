"""One-line trading: buy, sell, positions, orders, balances, and the faucet."""

from __future__ import annotations

import argparse
import secrets
import time
from decimal import Decimal
from typing import Any, Final

from exchange.cli.client import DATA_DEFAULT, Exchange, Refused, find_identity
from exchange.cli.output import (
    BOLD,
    GREEN,
    RED,
    Failure,
    UsageError,
    dash,
    painted,
    print_json,
    table,
)
from exchange.wire import (
    AccountSay,
    BalanceSay,
    OrderListSay,
    OrderSay,
    PlacedSay,
    PositionSay,
    PreviewSay,
)
from matching.reasons import Reason

PERPETUAL: Final = "-PERP"
LEGS: Final = ("long", "short")
LEG_MARK: Final = {"both": "", "long": " leg", "short": " leg"}

# What passes by itself within a moment of the start.
PASSING: Final = frozenset(
    {Reason.NO_MARK_PRICE.name, Reason.NO_INDEX_PRICE.name, Reason.NOT_READY.name}
)
PATIENCE: Final = 20
PAUSE_S: Final = 0.25

EXAMPLES: Final = """\
examples:
  papertape {side} BTC-USDT-PERP 0.1 --leverage 10            a perpetual, at the market
  papertape {side} BTC-USDT-PERP 0.1 --margin isolated --leverage 20
  papertape {side} BTC-USD-PERP 10 --leverage 5                contracts of 100 USD, margin in BTC
  papertape {side} BTC-USDT-PERP 0.1 --side {leg}             a leg of its own: hedge mode
  papertape {side} BTC-USDT 0.01 --price 49000                 spot, a limit order
  papertape {side} BTC-USDT 1 --margin cross --borrow          spot margin: borrow what is missing
  papertape {side} BTC-USDT-PERP 0.1 --take-profit {gain} --stop-loss {loss}
  papertape {side} BTC-USDT-PERP 0.1 --preview                 what it would cost; nothing is sent

The key is the one `papertape demo` made (in --data), or PAPERTAPE_KEY and PAPERTAPE_SECRET."""


def add_commands(commands: Any) -> None:
    """Add `buy`, `sell`, `positions`, `orders` and `balances`."""
    for side, about in (("buy", "buy, or open a long"), ("sell", "sell, or open a short")):
        _add_order(commands, side, about)
    for name, about, run in (
        ("positions", "open perpetual positions, at the mark", positions),
        ("orders", "open orders, newest first", orders),
        ("balances", "what every wallet holds, owes and is worth", balances),
    ):
        command = commands.add_parser(name, help=about, description=about)
        add_connection(command)
        command.set_defaults(run=run)
    _add_faucet(commands)


def _add_faucet(commands: Any) -> None:
    about = "fictional money into a wallet"
    command = commands.add_parser("faucet", help=about, description=about)
    command.add_argument("wallet", metavar="WALLET", help="spot, margin, perp, perp:BTC ...")
    command.add_argument("asset", metavar="ASSET", help="USDT, BTC ...")
    command.add_argument("amount", metavar="AMOUNT")
    add_connection(command)
    command.set_defaults(run=faucet)


def add_connection(command: argparse.ArgumentParser) -> None:
    """Where the exchange is, whose key is used, and how the answer looks."""
    command.add_argument("--url", help="the exchange (default: where the demo runs)")
    command.add_argument(
        "--data", default=DATA_DEFAULT, help="directory with the demo's key (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_order(commands: Any, side: str, about: str) -> None:
    command = commands.add_parser(
        side,
        help=about,
        description=f"Place one order: {about}.",
        epilog=EXAMPLES.format(
            side=side,
            leg="long" if side == "buy" else "short",
            gain=55_000 if side == "buy" else 45_000,
            loss=48_000 if side == "buy" else 52_000,
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("symbol", metavar="SYMBOL", help="BTC-USDT, BTC-USDT-PERP ...")
    command.add_argument("qty", metavar="QTY", help="of the base; inverse: contracts")
    command.add_argument("--price", metavar="P", help="a limit; without it, at the market")
    command.add_argument("--leverage", metavar="L", type=int, help="1 to 125 by instrument")
    command.add_argument("--margin", choices=("cross", "isolated"), help="whose collateral")
    command.add_argument(
        "--borrow", action="store_true", help="spot margin: borrow what is missing"
    )
    for exit_, where in (("take-profit", "gains"), ("stop-loss", "loses")):
        command.add_argument(
            f"--{exit_}", metavar="P", help=f"close it at the market again, where it {where}"
        )
    command.add_argument(
        "--side",
        dest="leg",
        choices=("long", "short"),
        help="perpetual: the leg it opens or closes; switches a flat account to hedge mode",
    )
    command.add_argument("--reduce-only", action="store_true", help="perpetual: only close")
    command.add_argument(
        "--preview", action="store_true", help="say what it would cost, send nothing"
    )
    add_connection(command)
    command.set_defaults(run=place, side=side)


# -- orders ------------------------------------------------------------------------------------


def place(args: argparse.Namespace) -> int:
    """Place the order of the arguments, or preview it."""
    exchange = Exchange.of(find_identity(args.data, args.url))
    fields = order_fields(args)
    if args.preview:
        return _preview(exchange, fields, as_json=args.json)
    _prepare(exchange, args)
    placed = _sent(exchange, fields)
    if args.json:
        print_json(placed)
        return 0
    print(placed_text(placed))
    if placed.order.list_id is not None:
        path = f"/v1/order_lists/{placed.order.list_id}"
        print(exits_text(exchange.get(path, OrderListSay)))
    if args.symbol.endswith(PERPETUAL):
        account = exchange.get("/v1/account", AccountSay)
        held = [position for position in account.positions if position.symbol == args.symbol]
        if held:
            print("\n" + positions_table(held))
    return 0


def _sent(exchange: Exchange, fields: dict[str, Any]) -> PlacedSay:
    """Send an order; where the exchange only just opened, once more in a moment.

    Its client id makes that safe.
    """
    for _ in range(PATIENCE):
        try:
            return exchange.post("/v1/orders", fields, PlacedSay)
        except Refused as refused:
            if refused.code not in PASSING:
                raise
            time.sleep(PAUSE_S)
    return exchange.post("/v1/orders", fields, PlacedSay)


def order_fields(args: argparse.Namespace) -> dict[str, Any]:
    """The order as the wire takes it, with a client id that makes it safe to repeat."""
    perpetual = args.symbol.endswith(PERPETUAL)
    if args.borrow and perpetual:
        raise UsageError("--borrow is for spot margin; a perpetual takes --leverage")
    if args.leg is not None and not perpetual:
        raise UsageError("--side names a leg of a perpetual; a spot pair has none")
    if args.leverage is not None and not perpetual and args.margin != "cross":
        raise UsageError(
            "on spot, --leverage 3 or 5 sets the cross margin account: add --margin cross"
        )
    fields: dict[str, Any] = {
        "symbol": args.symbol,
        "side": args.side,
        "type": "market" if args.price is None else "limit",
        "qty": args.qty,
        "price": args.price,
        "margin": args.margin,
        "client_id": f"cli-{secrets.token_hex(8)}",
    }
    if args.borrow:
        fields |= {"margin": args.margin or "cross", "side_effect": "borrow"}
    if args.reduce_only:
        fields["reduce_only"] = True
    for name, at in (("take_profit", args.take_profit), ("stop_loss", args.stop_loss)):
        if at is not None:
            fields[name] = {"trigger_price": at}
    if perpetual:
        fields |= {"leverage": args.leverage, "position_side": args.leg}
    return {name: value for name, value in fields.items() if value is not None}


def _prepare(exchange: Exchange, args: argparse.Namespace) -> None:
    """Set what an order cannot carry: position and margin mode, the cross account's leverage."""
    if args.symbol.endswith(PERPETUAL):
        if args.leg is not None:
            _set(exchange, {"position_mode": {"hedge": True}})
        if args.margin is not None:
            mode = {"symbol": args.symbol, "mode": args.margin}
            _set(exchange, {"margin_mode": mode})
    elif args.leverage is not None:
        _set(exchange, {"margin_leverage": {"leverage": args.leverage}})


def _set(exchange: Exchange, setting: dict[str, Any]) -> None:
    try:
        exchange.put("/v1/settings", setting, dict[str, Any])
    except Refused as refused:
        if refused.code != Reason.MODE_UNCHANGED.name:
            raise


def _preview(exchange: Exchange, fields: dict[str, Any], *, as_json: bool) -> int:
    said = exchange.post("/v1/orders/preview", fields, PreviewSay)
    if as_json:
        print_json(said)
        return 0
    if not said.accepted:
        raise Failure(f"it would be refused: {said.message} [{said.reason}]")
    # A perpetual settles in what its fees are paid in.
    unit = None if said.side_after is None else said.fee_asset
    rows = [
        ("position after", _position_after(said)),
        ("fee", _amount(said.fee, said.fee_asset)),
        ("margin it needs", _amount(said.margin_required, unit)),
        ("it would borrow", _amount(said.borrow, said.borrow_asset)),
        ("interest a day", said.interest_per_day),
        ("margin call at", said.margin_call_price),
        ("liquidation at", said.liquidation_price),
        ("next funding", _amount(said.next_funding, unit)),
    ]
    print("\n".join(f"{name:16}  {value}" for name, value in rows if value is not None))
    return 0


def _position_after(said: PreviewSay) -> str | None:
    """The position of a perpetual once the order is filled."""
    if said.side_after is None:
        return None
    entry = "" if said.entry_after is None else f" from {said.entry_after}"
    return f"{said.side_after} {said.qty_after}{entry}"


def _amount(value: str | None, asset: str | None) -> str | None:
    return value if value is None or asset is None else f"{value} {asset}"


def placed_text(placed: PlacedSay) -> str:
    """What became of an order, in a sentence."""
    order = placed.order
    colour = GREEN if order.side == "buy" else RED
    side = painted(order.side.upper(), colour)
    told = [f"{side} {dash(order.qty)} {order.symbol}: order {order.order_id} {status_text(order)}"]
    if order.average_price is not None:
        told.append(f"{order.filled_qty} at {order.average_price} on average")
    fees: dict[str, list[str]] = {}
    for fill in placed.fills:
        fees.setdefault(fill.fee_asset, []).append(fill.fee)
    told += [f"fee {total(paid)} {asset}" for asset, paid in fees.items()]
    return ", ".join(told)


def exits_text(found: OrderListSay) -> str:
    """Where the exits of an order stand, in a sentence."""
    stand = {leg.status for leg in found.orders[1:]}
    if found.reason is not None:
        reason = Reason.__members__.get(found.reason)
        return f"exits rejected: {reason.value if reason else found.reason}"
    if stand == {"open"}:
        return f"exits placed: list {found.list_id}"
    waits = "pending_new" in stand
    return f"exits {'wait for its fills' if waits else 'ended'}: list {found.list_id}"


def status_text(order: OrderSay) -> str:
    """An order's status in words, with the reason where one ended it."""
    status = order.status.replace("_", " ")
    if order.reason is None:
        return status
    reason = Reason.__members__.get(order.reason)
    return f"{status}: {reason.value}" if reason else f"{status} ({order.reason})"


def total(texts: list[str]) -> str:
    """The exact sum of decimal texts."""
    return f"{sum(map(Decimal, texts)):f}"


# -- what there is -----------------------------------------------------------------------------


def positions(args: argparse.Namespace) -> int:
    """Print the open positions."""
    account = _account(args)
    if args.json:
        print_json({"positions": account.positions})
    else:
        print(positions_table(account.positions) if account.positions else "no open positions")
    return 0


def positions_table(held: list[PositionSay]) -> str:
    """Positions, in hedge mode each leg, with what they are worth and where they end."""
    head = ("position", "side", "qty", "entry", "mark", "unrealised", "margin", "liquidation at")
    rows = [
        (
            one.symbol,
            f"{one.side}{LEG_MARK[one.position_side]} {one.leverage}x {one.margin_mode}",
            one.qty,
            one.entry_price,
            one.mark_price,
            f"{one.unrealised} {one.settle}{_return(one.roe)}",
            f"{one.margin} {one.settle}",
            dash(one.liquidation_price),
        )
        for one in held
    ]
    return table(head, rows, left=2)


def _return(roe: str | None) -> str:
    """What a position made of its margin, in percent."""
    return "" if roe is None else f" ({Decimal(roe) * 100:+.2f}%)"


def faucet(args: argparse.Namespace) -> int:
    """Take fictional money, and print the balance as it stands."""
    exchange = Exchange.of(find_identity(args.data, args.url))
    fields = {
        "wallet": args.wallet,
        "asset": args.asset,
        "amount": args.amount,
        "client_id": f"cli-{secrets.token_hex(8)}",
    }
    found = exchange.post("/v1/faucet", fields, list[BalanceSay])
    if args.json:
        print_json({"balances": found})
    else:
        for one in found:
            print(f"{one.wallet} holds {one.total} {one.asset}")
    return 0


def orders(args: argparse.Namespace) -> int:
    """Print the open orders."""
    exchange = Exchange.of(find_identity(args.data, args.url))
    found = exchange.get("/v1/orders", list[OrderSay], {"limit": "1000"})
    if args.json:
        print_json({"orders": found})
        return 0
    rows = [
        (
            str(one.order_id),
            one.symbol,
            one.side,
            f"{one.type} {one.tif}",
            dash(one.price),
            trigger_text(one),
            dash(one.qty),
            one.filled_qty,
            dash(None if one.list_id is None else str(one.list_id)),
            one.position_side if one.position_side in LEGS else one.wallet,
        )
        for one in found
    ]
    head = (
        *("order", "symbol", "side", "type", "price", "trigger", "qty", "filled"),
        *("list", "wallet"),
    )
    print(table(head, rows, left=4) if rows else "no open orders")
    return 0


def trigger_text(order: OrderSay) -> str:
    """What wakes an order: a price, or how far the price must turn back, in percent."""
    if not order.trailing_bps:
        return dash(order.trigger_price)
    turn = f"{Decimal(order.trailing_bps) / 100:f} %"
    start = order.activation_price or order.trigger_price
    return f"{turn} from {start}" if start else turn


def balances(args: argparse.Namespace) -> int:
    """Print every balance, and the level of every margin scope with a debt."""
    account = _account(args)
    if args.json:
        print_json({"balances": account.balances, "margins": account.margins})
        return 0
    head = ("wallet", "asset", "total", "free", "locked", "borrowed", "interest")
    rows = [
        (one.wallet, one.asset, one.total, one.free, one.locked, one.borrowed, one.interest)
        for one in account.balances
    ]
    print(table(head, rows, left=2) if rows else "nothing yet")
    for margin in account.margins:
        if margin.debt != "0":
            level = painted(short_level(margin.level), BOLD)
            print(f"\n{margin.wallet}: level {level}, liquidation at {margin.liquidation_level}")
    return 0


def short_level(level: str) -> str:
    """A margin level as a person reads it: four decimal places at most, cut and not rounded up."""
    whole, point, fraction = level.partition(".")
    return whole + point + fraction[:4] if fraction else level


def _account(args: argparse.Namespace) -> AccountSay:
    return Exchange.of(find_identity(args.data, args.url)).get("/v1/account", AccountSay)
