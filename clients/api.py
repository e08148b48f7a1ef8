"""The async client: `async with Papertape(url, key, secret) as pt`.

What changes something goes over the one WebSocket, which reconnects and resumes; questions go over
REST.  Numbers are Decimals, whole numbers or text; what comes back are the records of
`exchange.wire`.  A refusal is a PapertapeError with the exchange's code, sentence and numbers.

    async with Papertape("http://127.0.0.1:8080", key, secret) as pt:
        placed = await pt.place("BTC-USDT", "buy", "0.1", price="50000")
        async for event in pt.subscribe("book.BTC-USDT", "orders"):
            ...
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import msgspec

from clients.amounts import Number, maybe_text, text_of
from clients.errors import PapertapeError
from clients.rest import Rest, segment
from clients.signing import Signer
from clients.stream import Stream, Subscription
from clients.wishes import batch_item, fresh_id, identified, order
from exchange import wire

Said = TypeVar("Said")


class Papertape:
    """One account's connection to an exchange; without key and secret, the public side of it."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        secret: str | None = None,
        *,
        admin_key: str = "",
        others: Sequence[str] = (),
    ) -> None:
        """`others` are more doors of the same venue, for when this one cannot be reached."""
        if (key is None) != (secret is None):
            raise ValueError("a key and its secret come together")
        signer = Signer(key, secret) if key is not None and secret is not None else None
        self.url = url.rstrip("/")
        self._rest = Rest(self.url, signer, admin_key, others=others)
        sockets = [websocket_url(other) for other in others]
        self._stream = Stream(websocket_url(self.url), signer, others=sockets)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close both connections; subscriptions end."""
        await self._stream.close()
        await self._rest.close()

    @property
    def connections(self) -> int:
        """How many times the WebSocket was opened; more than one means that it broke."""
        return self._stream.connections

    # -- streams -------------------------------------------------------------------------------

    def subscribe(self, *channels: str) -> Subscription:
        """Hear channels such as `book.BTC-USDT`, `candles.1m.BTC-USDT` or `orders`.

        Over every break: books start again from a snapshot, private events are delivered exactly
        once, in order.  See `clients.channels.Event` for what comes.
        """
        return self._stream.subscribe(channels)

    # -- orders --------------------------------------------------------------------------------

    async def place(
        self,
        symbol: str,
        side: Literal["buy", "sell"],
        qty: Number | None = None,
        *,
        price: Number | None = None,
        quote_qty: Number | None = None,
        client_id: str = "",
        **options: Any,
    ) -> wire.PlacedSay:
        """Place an order: with a price a limit order, else a market order.

        `options` are the other fields of `wire.OrderAsk`: tif, expire_ms, post_only, reduce_only,
        stp, margin, side_effect, leverage, in hedge mode position_side; and for a stop or
        take-profit its type, trigger_price, trigger, close_position, price_protect, trailing_bps,
        activation_price.  `take_profit` and `stop_loss` close again what is filled of it: each a
        price, or what `clients.wishes.exit_at` makes.
        """
        ask = order(
            symbol,
            side,
            qty,
            price=price,
            quote_qty=quote_qty,
            client_id=client_id or fresh_id(),
            **options,
        )
        return await self._change("order.place", ask, wire.PlacedSay)

    async def preview(
        self,
        symbol: str,
        side: Literal["buy", "sell"],
        qty: Number | None = None,
        *,
        price: Number | None = None,
        quote_qty: Number | None = None,
        **options: Any,
    ) -> wire.PreviewSay:
        """What the same order would cost and risk; nothing is placed."""
        ask = order(symbol, side, qty, price=price, quote_qty=quote_qty, **options)
        return await self._rest.send(wire.PreviewSay, "POST", "/v1/orders/preview", ask)

    async def amend(
        self,
        order_id: int | None = None,
        *,
        client_id: str = "",
        qty: Number | None = None,
        price: Number | None = None,
        trigger_price: Number | None = None,
    ) -> wire.OrderSay:
        """Change an open order; only less quantity at the same price keeps its place."""
        numbers = (maybe_text(number) for number in (qty, price, trigger_price))
        ask = wire.AmendAsk(order_id, client_id, *numbers)
        return await self._change_order("order.amend", ask, done_if="NOTHING_TO_AMEND")

    async def cancel(self, order_id: int | None = None, *, client_id: str = "") -> wire.OrderSay:
        """Cancel an open order."""
        ask = wire.OrderKey(order_id, client_id)
        return await self._change_order("order.cancel", ask, done_if="UNKNOWN_ORDER")

    async def cancel_all(self, symbol: str | None = None) -> list[wire.OrderSay]:
        """Cancel every open order, or those on one symbol; the orders as they ended."""
        ask = wire.CancelAllAsk(symbol)
        return await self._change("order.cancel_all", ask, list[wire.OrderSay])

    async def cancel_all_after(
        self, countdown_ms: int, symbol: str | None = None
    ) -> wire.CountdownSay:
        """Have every order, or those on one symbol, cancelled unless asked again within that time.

        Milliseconds of wall time; 0 ends it.  For programs that may die, or lose their connection.
        """
        ask = wire.CancelAllAfterAsk(countdown_ms, symbol)
        return await self._change("cancel_all_after", ask, wire.CountdownSay)

    async def replace(
        self,
        place: wire.OrderAsk,
        order_id: int | None = None,
        *,
        client_id: str = "",
        mode: Literal["stop_on_failure", "allow_failure"] = "stop_on_failure",
    ) -> wire.ReplacedSay:
        """Cancel the order that is named and place another (made by `order`), nothing between.

        A PapertapeError means that neither was done; otherwise see both halves.
        """
        ask = wire.ReplaceAsk(wire.OrderKey(order_id, client_id), identified(place), mode)
        return await self._change("order.replace", ask, wire.ReplacedSay)

    async def batch(
        self, *items: wire.OrderAsk | wire.AmendAsk | wire.OrderKey
    ) -> list[wire.BatchItemSay]:
        """Place (what `order` makes), amend and cancel, in this order, each judged by itself.

        Where the connection broke meanwhile, an amendment or cancellation that reached the
        exchange the first time is told as refused: `order` says how the order stands.
        """
        ask = wire.BatchAsk([batch_item(each) for each in items])
        return await self._change("order.batch", ask, list[wire.BatchItemSay])

    async def orders(
        self,
        symbol: str | None = None,
        *,
        status: Literal["open", "all"] = "open",
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[wire.OrderSay]:
        """Orders, newest first: the open ones, or all."""
        return await self._rest.get(
            list[wire.OrderSay],
            "/v1/orders",
            signed=True,
            symbol=symbol,
            status=status,
            limit=limit,
            before_id=before_id,
        )

    async def order(self, order_id: int | None = None, *, client_id: str = "") -> wire.OrderSay:
        """One order as it stands."""
        name = str(order_id) if order_id is not None else f"client:{client_id}"
        return await self._rest.get(wire.OrderSay, f"/v1/orders/{segment(name)}", signed=True)

    async def place_list(
        self, kind: Literal["oco", "oto", "otoco"], *orders: wire.OrderAsk, client_id: str = ""
    ) -> wire.OrderListSay:
        """Place orders (made by `order`) that hang together; see `wire.PlaceListAsk`."""
        ask = wire.PlaceListAsk(kind, list(orders), client_id or fresh_id())
        return await self._change("order.list_place", ask, wire.OrderListSay)

    async def cancel_list(
        self, list_id: int | None = None, *, client_id: str = ""
    ) -> wire.OrderListSay:
        """Cancel the open orders of a list, and what waits for them."""
        ask = wire.CancelListAsk(list_id, client_id)
        try:
            return await self._change("order.list_cancel", ask, wire.OrderListSay)
        except PapertapeError as error:
            if not (error.sent_twice and error.code == "UNKNOWN_ORDER"):
                raise
            return await self.order_list(list_id, client_id=client_id)

    async def order_lists(
        self,
        symbol: str | None = None,
        *,
        status: Literal["open", "all"] = "open",
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[wire.OrderListSay]:
        """Order lists, newest first: the open ones, or all."""
        query = {"symbol": symbol, "status": status, "limit": limit, "before_id": before_id}
        lists = list[wire.OrderListSay]
        return await self._rest.get(lists, "/v1/order_lists", signed=True, **query)

    async def order_list(
        self, list_id: int | None = None, *, client_id: str = ""
    ) -> wire.OrderListSay:
        """One order list as it stands, open or past."""
        name = str(list_id) if list_id is not None else f"client:{client_id}"
        path = f"/v1/order_lists/{segment(name)}"
        return await self._rest.get(wire.OrderListSay, path, signed=True)

    # -- money ---------------------------------------------------------------------------------

    async def faucet(
        self, wallet: str, asset: str, amount: Number, *, client_id: str = ""
    ) -> list[wire.BalanceSay]:
        """Fictional money into a wallet; the balance as it stands then."""
        ask = wire.FaucetAsk(wallet, asset, text_of(amount), client_id or fresh_id())
        return await self._change("faucet", ask, list[wire.BalanceSay])

    async def transfer(
        self, source: str, target: str, asset: str, amount: Number, *, client_id: str = ""
    ) -> list[wire.BalanceSay]:
        """Move money between two wallets; both balances as they stand then."""
        ask = wire.TransferAsk(source, target, asset, text_of(amount), client_id or fresh_id())
        return await self._change("transfer", ask, list[wire.BalanceSay])

    async def convert_dust(self, *assets: str, client_id: str = "") -> list[wire.BalanceSay]:
        """Sell dust to the house, of these assets or of all; the spot balances as they stand."""
        ask = wire.DustAsk(assets=list(assets), client_id=client_id or fresh_id())
        return await self._change("dust.convert", ask, list[wire.BalanceSay])

    async def borrow(
        self, wallet: str, asset: str, amount: Number, *, client_id: str = ""
    ) -> wire.LoanSay:
        """Borrow into `margin` or `isolated:<SYMBOL>`; the first hour's interest is due at once."""
        ask = wire.LoanAsk(wallet, asset, text_of(amount), client_id or fresh_id())
        return await self._change("loan.borrow", ask, wire.LoanSay)

    async def repay(
        self, wallet: str, asset: str, amount: Number | None = None, *, client_id: str = ""
    ) -> wire.LoanSay:
        """Repay a loan, interest first; without an amount, all of it."""
        ask = wire.RepayAsk(wallet, asset, maybe_text(amount), client_id or fresh_id())
        return await self._change("loan.repay", ask, wire.LoanSay)

    # -- settings ------------------------------------------------------------------------------

    async def set_leverage(self, symbol: str, leverage: int) -> dict[str, Any]:
        """Set the leverage of a perpetual; the account's settings as they stand then."""
        return await self._set("leverage.set", wire.LeverageAsk(symbol, leverage))

    async def set_margin_mode(
        self, symbol: str, mode: Literal["cross", "isolated"]
    ) -> dict[str, Any]:
        """Set the margin mode of a perpetual, while flat and without orders on it."""
        return await self._set("margin_mode.set", wire.MarginModeAsk(symbol, mode))

    async def set_position_mode(self, *, hedge: bool) -> dict[str, Any]:
        """Hold long and short of a perpetual apart, or net them; flat and without orders."""
        return await self._set("position_mode.set", wire.PositionModeAsk(hedge))

    async def set_margin_leverage(self, leverage: Literal[3, 5]) -> dict[str, Any]:
        """Set the leverage of the cross margin account."""
        return await self._set("margin.leverage", wire.MarginLeverageAsk(leverage))

    async def set_fee_discount(self, on: bool) -> dict[str, Any]:
        """Pay spot fees in the venue's discount asset, or no longer."""
        return await self._set("fee_discount.set", wire.FeeDiscountAsk(on))

    async def set_multi_asset(self, on: bool) -> dict[str, Any]:
        """Let several assets stand behind linear contracts, or the quote alone."""
        return await self._set("multi_asset.set", wire.MultiAssetAsk(on))

    async def position_margin(
        self,
        symbol: str,
        amount: Number,
        *,
        position_side: wire.PositionSideName | None = None,
        client_id: str = "",
    ) -> dict[str, Any]:
        """Add margin to an isolated position; a negative amount takes some out.

        In hedge mode `position_side` names the leg.
        """
        ask = wire.PositionMarginAsk(
            symbol, text_of(amount), client_id or fresh_id(), position_side
        )
        return await self._change("position.margin", ask, dict[str, Any])

    # -- the account ---------------------------------------------------------------------------

    async def open_account(self, label: str = "") -> wire.AccountOpenedSay:
        """Open a funded account; its key and secret are told this once."""
        return await self._rest.open_account(wire.AccountOpenedSay, wire.AccountAsk(label))

    async def account(self) -> wire.AccountSay:
        """Balances, loans, positions, margin levels and settings."""
        return await self._rest.get(wire.AccountSay, "/v1/account", signed=True)

    async def loans(self) -> list[wire.LoanSay]:
        """Loans outstanding."""
        return await self._rest.get(list[wire.LoanSay], "/v1/loans", signed=True)

    async def limits(self, wallet: str, asset: str) -> wire.LimitsSay:
        """The most of an asset that a wallet may borrow now, and that may leave it."""
        query = {"wallet": wallet, "asset": asset}
        return await self._rest.get(wire.LimitsSay, "/v1/loans/limits", signed=True, **query)

    async def fills(self, symbol: str | None = None, limit: int = 100) -> list[wire.FillSay]:
        """The account's fills, newest first."""
        fills = list[wire.FillSay]
        return await self._rest.get(fills, "/v1/fills", signed=True, symbol=symbol, limit=limit)

    async def ledger(self, reason: str | None = None, limit: int = 100) -> list[wire.LedgerSay]:
        """The account's postings, newest first; `reason` such as "interest" or "funding"."""
        lines = list[wire.LedgerSay]
        return await self._rest.get(lines, "/v1/ledger", signed=True, reason=reason, limit=limit)

    async def pnl(self) -> wire.PnlSay:
        """Profit and loss of the epoch by its cause."""
        return await self._rest.get(wire.PnlSay, "/v1/pnl", signed=True)

    async def why(self, kind: str, of: str) -> wire.WhySay:
        """Why something was decided: a reject, fill, interest, funding, call, liquidation or adl.

        `of` is what follows the kind in the `why` that a refusal, a fill or a message carries.
        """
        path = f"/v1/why/{segment(kind)}/{segment(of)}"
        return await self._rest.get(wire.WhySay, path, signed=True)

    # -- the market ----------------------------------------------------------------------------

    async def time(self) -> wire.TimeSay:
        """Both clocks, and how fast exchange time runs."""
        return await self._rest.get(wire.TimeSay, "/v1/time")

    async def instruments(self) -> wire.InstrumentsSay:
        """The instruments, their rules, and what assets cost to borrow."""
        return await self._rest.get(wire.InstrumentsSay, "/v1/instruments")

    async def fees(self) -> wire.FeesSay:
        """What trades cost: tiers by 30-day volume, and what fees are paid in."""
        return await self._rest.get(wire.FeesSay, "/v1/fees")

    async def book(self, symbol: str, limit: int = 100) -> wire.BookSay:
        """Depth of a book, `limit` levels a side."""
        return await self._rest.get(wire.BookSay, f"/v1/book/{segment(symbol)}", limit=limit)

    async def trades(self, symbol: str, limit: int = 100) -> list[wire.TradeSay]:
        """Public trades, newest first."""
        path = f"/v1/trades/{segment(symbol)}"
        return await self._rest.get(list[wire.TradeSay], path, limit=limit)

    async def candles(
        self, symbol: str, interval: str = "1m", limit: int = 500
    ) -> list[wire.CandleSay]:
        """Candles, oldest first; the last one may still be open."""
        path = f"/v1/candles/{segment(symbol)}"
        candles = list[wire.CandleSay]
        return await self._rest.get(candles, path, interval=interval, limit=limit)

    async def ticker(self, symbol: str) -> wire.TickerSay:
        """The last 24 hours in one line."""
        return await self._rest.get(wire.TickerSay, f"/v1/ticker/{segment(symbol)}")

    async def mark(self, symbol: str) -> wire.MarkSay:
        """Index, mark and the funding to come."""
        return await self._rest.get(wire.MarkSay, f"/v1/mark/{segment(symbol)}")

    async def funding(self, symbol: str, limit: int = 100) -> list[wire.FundingSay]:
        """Funding rates that were charged, newest first."""
        path = f"/v1/funding/{segment(symbol)}"
        return await self._rest.get(list[wire.FundingSay], path, limit=limit)

    async def compare(self, base: str = "BTC", **more: Any) -> wire.CompareSay:
        """The same stake both ways; `stake`, `leverage`, `side` ("long" or "short"), `hours`."""
        return await self._rest.get(wire.CompareSay, "/v1/compare", base=base, **more)

    async def audit(self) -> wire.AuditSay:
        """What the auditor found: whether all the money there is adds up."""
        return await self._rest.get(wire.AuditSay, "/v1/audit")

    # -- the administrator ---------------------------------------------------------------------

    async def set_index(self, pair: str, price: Number) -> dict[str, Any]:
        """Set an index price, as in `set_index("BTC-USDT", "50000")`; needs the admin key."""
        path = f"/v1/admin/index/{segment(pair)}"
        return await self._rest.admin(dict[str, Any], "PUT", path, wire.IndexAsk(text_of(price)))

    async def set_clock(
        self,
        *,
        speed: float | None = None,
        pause: bool | None = None,
        step_ms: int | None = None,
    ) -> wire.TimeSay:
        """Set the speed of exchange time, pause it, or step it; needs the admin key."""
        ask = wire.ClockAsk(speed, pause, step_ms)
        return await self._rest.admin(wire.TimeSay, "POST", "/v1/admin/clock", ask)

    async def set_state(self, symbol: str, state: str) -> dict[str, Any]:
        """Open, restrict or halt trading on a symbol; needs the admin key."""
        ask = msgspec.convert({"state": state}, wire.StateAsk)
        path = f"/v1/admin/symbols/{segment(symbol)}/state"
        return await self._rest.admin(dict[str, Any], "POST", path, ask)

    # -- how changes travel --------------------------------------------------------------------

    async def _change(self, op: str, ask: wire.Ask, said: type[Said]) -> Said:
        """Ask for a change over the WebSocket."""
        answer = await self._stream.request(op, msgspec.to_builtins(ask))
        if answer.error is not None:
            answer.error.sent_twice = answer.again
            raise answer.error
        return msgspec.json.decode(answer.result, type=said)

    async def _change_order(self, op: str, ask: wire.OrderKey, done_if: str) -> wire.OrderSay:
        """Amend or cancel.  These carry no client id of their own: where the request had to be
        sent twice, a refusal may only mean that the first one arrived, and the order tells.
        """
        try:
            return await self._change(op, ask, wire.OrderSay)
        except PapertapeError as error:
            if not (error.sent_twice and error.code == done_if):
                raise
            now = await self.order(ask.order_id, client_id=ask.client_id)
            if done_if == "UNKNOWN_ORDER" and now.status != "cancelled":
                raise
            return now

    async def _set(self, op: str, ask: wire.Ask) -> dict[str, Any]:
        """Change a setting; if it was sent twice and stands already, the first one arrived."""
        try:
            return await self._change(op, ask, dict[str, Any])
        except PapertapeError as error:
            if not (error.sent_twice and error.code == "MODE_UNCHANGED"):
                raise
            return (await self.account()).settings


def websocket_url(url: str) -> str:
    """Where the WebSocket of an exchange's address is; a ValueError if it is no HTTP address."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("http", "https"):
        raise ValueError(f"an exchange is at http://... or https://..., not {url!r}")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest.rstrip('/')}/v1/ws"
