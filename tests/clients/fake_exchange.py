"""A small exchange that speaks the wire, for tests of the clients: one account, one price a symbol.

It checks signatures, numbers private events and resumes them, remembers client ids, and fills what
crosses its price.  It knows nothing of margin; tests tell it what to say of interest and funding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from clients.signing import Signer
from exchange.wire import (
    PRIVATE_CHANNELS,
    AccountOpenedSay,
    AccountSay,
    BalanceSay,
    BookDiffSay,
    BookSay,
    FillSay,
    LedgerSay,
    LoanSay,
    OrderSay,
    PlacedSay,
    PnlSay,
    PositionSay,
    Push,
    WhySay,
)
from tests.clients.fake_batches import several
from tests.clients.fake_lists import FakeLists
from tests.clients.wire_samples import INSTRUMENTS, NOON, PREVIEW, margin, open_order, wallet_of

KEY, SECRET, ADMIN = "pk-test", "testsecret", "admin-test"
PRICES = {"BTC-USDT": Decimal(50000), "BTC-USDT-PERP": Decimal(50010)}


async def eventually(holds: Callable[[], object]) -> None:
    """Come back when the condition holds; the test's own time limit is the end of patience."""
    while not holds():  # noqa: ASYNC110 - the conditions are of many makers, none sets an event
        await asyncio.sleep(0.002)


class Refused(Exception):
    """The fake exchange says no."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.error = {"code": code, "message": f"{code} it is", "details": details}


class Line:
    """One WebSocket connection."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.channels: list[str] = []
        self.logged_in = False
        self.last = 0  # The number of the last private event it may know of.


class FakeExchange:
    """See the module; `url` after `start()`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.lines: list[Line] = []
        self.events: list[tuple[int, str, Any]] = []  # Private ones: number, channel, data.
        self.kept_from = 1  # Older private events are gone.
        self.n = 0
        self.orders: dict[int, OrderSay] = {}
        self.balances = {("spot", "USDT"): Decimal(100_000), ("perp", "USDT"): Decimal(100_000)}
        self.loans: dict[tuple[str, str], LoanSay] = {}
        self.positions: dict[str, Decimal] = {}
        self.prices = dict(PRICES)
        self.book_id = dict.fromkeys(self.prices, 1)
        self.settings: dict[str, Any] = {"margin_leverage": 3, "symbols": {}}
        self.remembered: dict[str, Any] = {}
        self.lists = FakeLists(Refused)
        self.break_before_reply: list[str] = []  # Operations whose next reply is lost.
        self.refuse: dict[str, Refused] = {}
        self.history: dict[str, Any] = {  # What a GET answers, by its path below /v1.
            "/instruments": INSTRUMENTS,
            "/pnl": PnlSay("1", "-2", "-3", "4", "0", "200000", "200000"),
            "/why/fill/BTC-USDT:7": WhySay("fill", "BTC-USDT:7", 1, 2, "S1", "It.", [], [], [], []),
        }
        self.signatures: list[bool] = []
        app = web.Application()
        app.router.add_get("/v1/ws", self._websocket)
        app.router.add_route("*", "/v1/{tail:.*}", self._rest)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    async def start(self) -> None:
        await self._server.start_server()

    async def stop(self) -> None:
        await self.break_all()
        await self._server.close()

    async def break_all(self) -> None:
        """Every connection breaks."""
        for line in list(self.lines):
            await self.break_line(line)

    async def break_line(self, line: Line) -> None:
        if line in self.lines:
            self.lines.remove(line)
        with suppress(ConnectionError):
            await line.socket.close(code=1012)

    def ops(self) -> list[str]:
        return [str(frame["op"]) for frame in self.asked]

    # -- what it says --------------------------------------------------------------------------

    async def say(self, channel: str, data: Any) -> None:
        """Something for everybody who hears the channel."""
        for line in list(self.lines):
            if channel in line.channels:
                await self._push(line, channel, data)

    async def tell(self, channel: str, data: Any) -> None:
        """A private, numbered event for the account."""
        self.n += 1
        self.events.append((self.n, channel, data))
        for line in list(self.lines):
            if channel in line.channels:
                await self._push(line, channel, data, self.n)

    async def move(self, symbol: str, price: str) -> None:
        """The market moves: the book says so."""
        before = self.book(symbol)
        self.prices[symbol] = Decimal(price)
        self.book_id[symbol] += 1
        now, number = self.book(symbol), self.book_id[symbol]
        bids = {**{level: "0" for level, _ in before.bids}, **dict(now.bids)}
        asks = {**{level: "0" for level, _ in before.asks}, **dict(now.asks)}
        diff = BookDiffSay(symbol, number, number, list(bids.items()), list(asks.items()))
        await self.say(f"book.{symbol}", diff)

    def book(self, symbol: str) -> BookSay:
        price = self.prices[symbol]
        bids = [(f"{price - step:f}", f"{step}.5") for step in range(1, 11)]
        asks = [(f"{price + step:f}", f"{step}.25") for step in range(1, 11)]
        return BookSay(symbol, self.book_id[symbol], bids, asks)

    async def _push(self, line: Line, channel: str, data: Any, n: int | None = None) -> None:
        prev = None if n is None else line.last
        message = Push(channel, n or 0, NOON, data, prev)
        line.last = n if n is not None else line.last
        with suppress(ConnectionError):
            await line.socket.send_str(msgspec.json.encode(message).decode())

    # -- WebSocket -----------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        self.lines.append(line)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(line, msgspec.json.decode(message.data))
        if line in self.lines:
            self.lines.remove(line)
        return socket

    async def _hear(self, line: Line, frame: dict[str, Any]) -> None:
        self.asked.append(frame)
        op, fields = frame["op"], {k: v for k, v in frame.items() if k not in ("op", "id")}
        try:
            if op in self.refuse:
                raise self.refuse.pop(op)
            result = await self._do(line, op, fields)
            reply = {"id": frame["id"], "ok": True, "result": result}
        except Refused as refused:
            reply = {"id": frame["id"], "ok": False, "error": refused.error}
        if op in self.break_before_reply:
            self.break_before_reply.remove(op)
            # From a task of its own: a handler cannot wait for the end of its own connection.
            self._breaking = asyncio.create_task(self.break_line(line))
            return
        await line.socket.send_str(msgspec.json.encode(reply).decode())
        if op == "subscribe" and reply["ok"]:
            for channel in fields["channels"]:
                if channel.startswith("book."):
                    await self._push(line, channel, self.book(channel.removeprefix("book.")))

    async def _do(self, line: Line, op: str, fields: dict[str, Any]) -> Any:
        match op:
            case "login":
                return self._login(line, fields)
            case "subscribe":
                if any(name.endswith("NOPE") for name in fields["channels"]):
                    raise Refused("UNKNOWN_CHANNEL")
                if not line.logged_in and set(fields["channels"]) & set(PRIVATE_CHANNELS):
                    raise Refused("NOT_AUTHENTICATED")
                line.channels += fields["channels"]
                line.last = self.n
                return {"channels": line.channels}
            case "unsubscribe":
                line.channels = [c for c in line.channels if c not in fields["channels"]]
                return {"channels": line.channels}
            case "resume":
                return await self._resume(line, fields["last_seq"])
        if not line.logged_in:
            raise Refused("NOT_AUTHENTICATED")
        return await self.act(op, fields)

    def _login(self, line: Line, fields: dict[str, Any]) -> Any:
        signature = Signer(KEY, SECRET).sign(fields["timestamp"], "GET", "/v1/ws")
        if fields["key"] != KEY or fields["signature"] != signature:
            raise Refused("BAD_SIGNATURE")
        line.logged_in = True
        return {"account_id": 100, "env": "paper"}

    async def _resume(self, line: Line, last_seq: int) -> Any:
        if last_seq + 1 < self.kept_from:
            raise Refused("RESUME_TOO_OLD", seq=self.n)
        line.last = last_seq
        for n, channel, data in list(self.events):
            if n > last_seq and channel in line.channels:
                await self._push(line, channel, data, n)
        return {"seq": self.n}

    # -- REST ----------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.Response:
        body = await request.read()
        key = request.headers.get("X-Papertape-Key")
        if key is not None:
            timestamp = int(request.headers["X-Papertape-Timestamp"])
            mine = Signer(KEY, SECRET).sign(timestamp, request.method, request.raw_path, body)
            self.signatures.append(mine == request.headers["X-Papertape-Signature"])
        try:
            status, said = await self._answer(request, body)
        except Refused as refused:
            status, said = 400, {"error": refused.error}
        return web.Response(
            body=msgspec.json.encode(said), status=status, content_type="application/json"
        )

    async def _answer(self, request: web.Request, body: bytes) -> tuple[int, Any]:
        match request.method, request.path.removeprefix("/v1"):
            case "POST", "/accounts":
                return 201, AccountOpenedSay(100, KEY, SECRET, {"spot": {"USDT": "1"}}, "paper")
            case "GET", "/account":
                return 200, self.account()
            case "GET", "/orders":
                return 200, [o for o in self.orders.values() if o.status == "new"]
            case "GET", path if path.startswith("/orders/"):
                return 200, self._order(path.removeprefix("/orders/"))
            case "GET", path if path.startswith("/order_lists"):
                return 200, self.lists.looked_up(request.path, request.query)
            case "GET", path if path.startswith("/book/"):
                return 200, self.book(path.removeprefix("/book/"))
            case "POST", "/orders/preview":
                return 200, PREVIEW
            case "GET", path if path in self.history:
                return 200, self.history[path]
            case "GET", path if path.split("/")[1] in ("trades", "candles", "funding", "ledger"):
                return 200, []
            case _, path if path.startswith("/admin/"):
                if request.headers.get("X-Papertape-Admin") != ADMIN:
                    raise Refused("ADMIN_KEY_NEEDED")
                return 200, msgspec.json.decode(body)
        raise Refused("NOT_FOUND", path=request.path)

    # -- the account ---------------------------------------------------------------------------

    def account(self) -> AccountSay:
        return AccountSay(
            account_id=100,
            env="paper",
            label="test",
            epoch=1,
            time=NOON,
            balances=[self._balance(wallet, asset) for wallet, asset in self.balances],
            loans=list(self.loans.values()),
            positions=[self._position(s) for s, qty in self.positions.items() if qty],
            margins=[margin("perp")],
            settings=self.settings,
            last_seq=self.n,
        )

    async def act(self, op: str, fields: dict[str, Any]) -> Any:
        """An operation that changes something; a client id seen before answers its first result."""
        known = fields.get("client_id") if op not in ("order.cancel", "order.amend") else None
        if known and known in self.remembered:
            return self.remembered[known]
        act: dict[str, Callable[..., Any]] = {
            "account.get": self._account_get,
            "order.place": self._place,
            "order.amend": self._amend,
            "order.cancel": self._cancel,
            "order.cancel_all": self._cancel_all,
            "transfer": self._transfer,
            "faucet": self._faucet,
            "dust.convert": self._dust,
            "loan.borrow": self._borrow,
            "loan.repay": self._repay,
            "leverage.set": self._settings,
            "margin_mode.set": self._settings,
            "margin.leverage": self._settings,
            "position_mode.set": self._settings,
            "position.margin": self._settings,
            "fee_discount.set": self._settings,
            "multi_asset.set": self._settings,
        }
        result = await (act | several(self.act, Refused) | self.lists.acts)[op](**fields)
        if known:
            self.remembered[known] = result
        return result

    async def _account_get(self) -> AccountSay:
        return self.account()

    async def _dust(self, assets: list[str], **_fields: Any) -> list[BalanceSay]:
        return [self._balance("spot", asset) for asset in assets]

    async def _settings(self, **_fields: Any) -> dict[str, Any]:
        return self.settings

    async def _place(self, symbol: str, side: str, type: str, **more: Any) -> PlacedSay:
        if symbol not in self.prices:
            raise Refused("UNKNOWN_SYMBOL", symbol=symbol)
        order_id = len(self.orders) + 1
        price = more.pop("price", None)
        qty = more.pop("qty", None) or f"{Decimal(more['quote_qty']) / self.prices[symbol]:f}"
        wallet = wallet_of(symbol, more.get("margin"))
        order = open_order(order_id, symbol, side, price, qty, type=type, wallet=wallet, **more)
        self.orders[order_id] = order
        at = self.prices[symbol] + (1 if side == "buy" else -1)
        crosses = price is None or (Decimal(price) >= at if side == "buy" else Decimal(price) <= at)
        if crosses and more.get("post_only"):
            raise Refused("WOULD_TAKE")
        if not crosses:
            await self.tell("orders", order)
            return PlacedSay(order, [])
        fill = await self.fill(order_id, at)
        return PlacedSay(self.orders[order_id], [fill])

    async def fill(self, order_id: int, at: Decimal | None = None) -> FillSay:
        """An order is filled whole."""
        order = self.orders[order_id]
        price = at if at is not None else Decimal(order.price or "0")
        qty = Decimal(order.qty or "0")
        signed, quote = (qty if order.side == "buy" else -qty), price * qty
        order = msgspec.structs.replace(
            order,
            status="filled",
            filled_qty=order.qty or "0",
            filled_quote=f"{quote:f}",
            open_qty="0",
            average_price=f"{price:f}",
        )
        self.orders[order_id] = order
        fill = FillSay(
            trade_id=order_id,
            symbol=order.symbol,
            order_id=order_id,
            client_id=order.client_id,
            side=order.side,
            price=f"{price:f}",
            qty=f"{qty:f}",
            quote=f"{quote:f}",
            maker=at is None,
            fee="0.01",
            fee_asset="USDT",
            realised=None,
            wallet=order.wallet,
            time=NOON,
        )
        await self.tell("fills", fill)
        await self.tell("orders", order)
        if order.symbol.endswith("-PERP"):
            self.positions[order.symbol] = self.positions.get(order.symbol, Decimal(0)) + signed
            await self.tell("positions", self._position(order.symbol))
        else:
            await self._post(order.wallet, "BTC", signed, "trade")
            await self._post(order.wallet, "USDT", -quote if signed > 0 else quote, "trade")
        return fill

    async def _amend(self, **fields: Any) -> OrderSay:
        order = self._order(fields)
        changed = {name: fields[name] for name in ("qty", "price") if fields.get(name)}
        if all(getattr(order, name) == value for name, value in changed.items()):
            raise Refused("NOTHING_TO_AMEND")
        self.orders[order.order_id] = order = msgspec.structs.replace(order, **changed)
        await self.tell("orders", order)
        return order

    async def _cancel(self, **fields: Any) -> OrderSay:
        order = self._order(fields)
        if order.status != "new":
            raise Refused("UNKNOWN_ORDER")
        order = msgspec.structs.replace(order, status="cancelled", open_qty="0")
        self.orders[order.order_id] = order
        await self.tell("orders", order)
        return order

    async def _cancel_all(self, symbol: str | None = None) -> list[OrderSay]:
        return [
            await self._cancel(order_id=order.order_id)
            for order in list(self.orders.values())
            if order.status == "new" and symbol in (None, order.symbol)
        ]

    def _order(self, name: str | dict[str, Any]) -> OrderSay:
        if isinstance(name, str):
            by_client = name.startswith("client:")
            name = {"client_id": name[7:]} if by_client else {"order_id": int(name)}
        for order in self.orders.values():
            if order.order_id == name.get("order_id") or (
                name.get("client_id") and order.client_id == name["client_id"]
            ):
                return order
        raise Refused("UNKNOWN_ORDER")

    async def _transfer(self, to: str, asset: str, amount: str, **more: Any) -> list[BalanceSay]:
        if Decimal(amount) > self.balances.get((more["from"], asset), Decimal(0)):
            raise Refused("INSUFFICIENT_BALANCE", needed=amount)
        await self._post(more["from"], asset, -Decimal(amount), "transfer")
        await self._post(to, asset, Decimal(amount), "transfer")
        return [self._balance(more["from"], asset), self._balance(to, asset)]

    async def _faucet(self, wallet: str, asset: str, amount: str, **_: Any) -> list[BalanceSay]:
        await self._post(wallet, asset, Decimal(amount), "deposit")
        return [self._balance(wallet, asset)]

    async def _borrow(self, wallet: str, asset: str, amount: str, **_: Any) -> LoanSay:
        before = self.loans.get((wallet, asset))
        principal = Decimal(before.principal if before else 0) + Decimal(amount)
        loan = LoanSay(wallet, asset, f"{principal:f}", "0.01", "0.00001", 1, amount)
        self.loans[wallet, asset] = loan
        await self._post(wallet, asset, Decimal(amount), "borrow")
        return loan

    async def _repay(self, wallet: str, asset: str, amount: str | None = None, **_: Any) -> LoanSay:
        loan = self.loans[wallet, asset]
        paid = min(Decimal(amount or loan.principal), Decimal(loan.principal))
        left = Decimal(loan.principal) - paid
        loan = msgspec.structs.replace(loan, principal=f"{left:f}", repaid_principal=f"{paid:f}")
        self.loans[wallet, asset] = loan
        await self._post(wallet, asset, -paid, "repay")
        return loan

    async def _post(self, wallet: str, asset: str, change: Decimal, reason: str) -> None:
        total = self.balances.get((wallet, asset), Decimal(0)) + change
        self.balances[wallet, asset] = total
        await self.tell("balances", self._balance(wallet, asset))
        line = LedgerSay(wallet, asset, f"{change:f}", f"{total:f}", reason, 1, NOON)
        await self.tell("ledger", line)

    def _balance(self, wallet: str, asset: str) -> BalanceSay:
        total = f"{self.balances[wallet, asset]:f}"
        loan = self.loans.get((wallet, asset))
        owed, interest = (loan.principal, loan.interest) if loan else ("0", "0")
        net = f"{Decimal(total) - Decimal(owed) - Decimal(interest):f}"
        return BalanceSay(wallet, asset, total, total, "0", owed, interest, net)

    def _position(self, symbol: str) -> PositionSay:
        qty, price = self.positions[symbol], f"{self.prices[symbol]:f}"
        return PositionSay(
            symbol=symbol,
            side="long" if qty >= 0 else "short",
            qty=f"{abs(qty):f}",
            entry_price=price,
            mark_price=price,
            notional=f"{abs(qty) * self.prices[symbol]:f}",
            unrealised="0",
            margin_mode="cross",
            leverage=10,
            margin="500",
            maintenance="20",
            liquidation_price="60000",
            bankruptcy_price="61000",
        )
