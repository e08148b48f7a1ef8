"""A random session of one account through both doors: wishes go now by one, now by the other."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from exchange.commands import Deposit
from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.rig import Answer, Rig

E8 = 10**8
SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
CONTRACTS = {"fapi": ("BTC-USDT-PERP", "BTCUSDT"), "dapi": ("BTC-USD-PERP", "BTCUSD_PERP")}
POCKETS = (
    *(("spot", "BTC", 2), ("margin", "USDT", 20_000), ("margin", "BTC", 1)),
    *(("isolated:BTC-USDT", "USDT", 20_000), ("isolated:BTC-USDT", "BTC", 1)),
    *(("perp:BTC", "BTC", 5),),
)
WALLETS = ("spot", "margin", "isolated")
MARGINS = {"spot": "cash", "margin": "cross", "isolated": "isolated"}
EFFECTS = {"none": "NO_SIDE_EFFECT", "borrow": "MARGIN_BUY", "repay": "AUTO_REPAY"}
MID = 50_000
HOUR_MS = 3_600_000


def at(wallet: str, name: str) -> str:
    """The address of an endpoint of spot or margin."""
    return f"/api/v3/{name}" if wallet == "spot" else f"/sapi/v1/margin/{name}"


def isolated(wallet: str) -> dict[str, Any]:
    """What says that an isolated pair is meant."""
    return {"isIsolated": "TRUE"} if wallet == "isolated" else {}


class Session:
    """An account that is tried, by whichever door; what was answered is counted by its outcome."""

    def __init__(self, rig: Rig, bot: Bot, maker: Bot, seed: int, *, hedge: bool) -> None:
        self.rig = rig
        self.bot = bot
        self.maker = maker
        self.random = Random(seed)
        self.hedge = hedge
        self.done: Counter[str] = Counter()

    async def begin(self) -> None:
        """Money for both, and the mode of positions."""
        await self.rig.set_index("BTC-USDT", str(MID))
        await self.rig.set_index("ETH-USDT", "2500")
        await self.rig.doors.sequencer.step(2_000)
        for bot in (self.bot, self.maker):
            for wallet, asset, units in POCKETS:
                await self.rig.do(
                    Deposit(
                        account_id=bot.trader.account_id,
                        wallet=wallet,
                        asset=asset,
                        amount_minor=units * E8,
                    )
                )
        if self.hedge:
            path = "/fapi/v1/positionSide/dual"
            assert (await self.bot.signed("POST", path, dualSidePosition="true")).status == 200
        await self.quote()

    async def live(self, rounds: int) -> None:
        """So many rounds of all actions, each in another order, in a market that goes on."""
        actions = [
            *(self.pair_order, self.pair_order, self.contract_order, self.contract_order),
            *(self.conditional, self.list_of_orders, self.amend, self.cancel),
            *(self.cancel_all, self.borrow, self.transfer, self.settings, self.pass_time),
        ]
        for _ in range(rounds):
            self.random.shuffle(actions)
            for number, act in enumerate(actions):
                if number % 6 == 5:
                    await self.quote()
                await act()

    # -- asking --------------------------------------------------------------------------------

    def note(self, name: str, answer: Answer) -> None:
        """Count an outcome; a fault is none."""
        assert answer.status < 500, (name, answer.body)
        self.done[f"{name} {'done' if answer.status < 300 else 'refused'}"] += 1

    async def theirs(self, name: str, verb: str, path: str, **fields: Any) -> None:
        """By the Binance door."""
        self.note(name, await self.bot.signed(verb, path, **fields))

    async def ours(self, name: str, verb: str, path: str, body: Any = None) -> None:
        """By the native door."""
        self.note(name, await self.bot.trader.ask(verb, path, body))

    @property
    def by_theirs(self) -> bool:
        """By which door the next wish goes."""
        return self.random.random() < 0.6

    def price(self, spread: int = 12) -> str:
        """A price near the middle."""
        return str(MID + 10 * self.random.randint(-spread, spread))

    def qty(self, contracts: bool = False) -> str:
        """A small quantity, of the base or in contracts."""
        lots = self.random.randint(1, 8)
        return str(lots) if contracts else f"0.0{lots:02}"

    # -- the market ----------------------------------------------------------------------------

    async def quote(self) -> None:
        """The maker's orders on every book, anew."""
        trader = self.maker.trader
        await trader.ask("DELETE", "/v1/orders")
        for symbol in SYMBOLS:
            if symbol == "ETH-USDT":
                continue
            for away in (20, 60, 100):
                qty = "4" if symbol == "BTC-USD-PERP" else "0.04"
                for side, price in (("buy", MID - away), ("sell", MID + away)):
                    fields = {"symbol": symbol, "side": side, "type": "limit", "qty": qty}
                    answer = await trader.ask("POST", "/v1/orders", fields | {"price": str(price)})
                    assert answer.status == 201, answer.body

    async def pass_time(self) -> None:
        """Now and then an hour goes by, and interest and funding fall due."""
        await self.rig.doors.sequencer.step(self.random.choice((1_000, 1_000, HOUR_MS)))

    # -- orders on pairs -----------------------------------------------------------------------

    async def pair_order(self) -> None:
        """A limit or market order on spot, cross or isolated margin."""
        wallet, side = self.random.choice(WALLETS), self.random.choice(("buy", "sell"))
        effect = self.random.choice(("none", "none", "borrow", "repay")) if wallet != "spot" else ""
        kind = self.random.choice(("limit", "limit", "maker", "ioc", "market", "amount"))
        price, qty = self.price(), self.qty()
        if self.by_theirs:
            types: dict[str, dict[str, str]] = {
                "limit": {"type": "LIMIT", "timeInForce": "GTC", "price": price},
                "maker": {"type": "LIMIT_MAKER", "price": price},
                "ioc": {"type": "LIMIT", "timeInForce": "IOC", "price": price},
                "market": {"type": "MARKET"},
                "amount": {"type": "MARKET", "quoteOrderQty": "300"},
            }
            fields = {"symbol": "BTCUSDT", "side": side.upper(), **types[kind]}
            if kind != "amount":
                fields["quantity"] = qty
            if effect:
                fields["sideEffectType"] = EFFECTS[effect]
            await self.theirs("pair", "POST", at(wallet, "order"), **fields, **isolated(wallet))
            return
        more: dict[str, dict[str, Any]] = {
            "limit": {"type": "limit", "price": price, "qty": qty},
            "maker": {"type": "limit", "price": price, "qty": qty, "post_only": True},
            "ioc": {"type": "limit", "price": price, "qty": qty, "tif": "IOC"},
            "market": {"type": "market", "qty": qty},
            "amount": {"type": "market", "quote_qty": "300"},
        }
        body = {"symbol": "BTC-USDT", "side": side, "margin": MARGINS[wallet], **more[kind]}
        if effect:
            body["side_effect"] = effect
        await self.ours("pair", "POST", "/v1/orders", body)

    async def list_of_orders(self) -> None:
        """An OCO or an OTO on spot."""
        above, below = str(MID + 300), str(MID - 300)
        if self.by_theirs:
            oco = {"symbol": "BTCUSDT", "side": "SELL", "quantity": self.qty()}
            oco |= {"aboveType": "LIMIT_MAKER", "abovePrice": above}
            oco |= {"belowType": "STOP_LOSS", "belowStopPrice": below}
            await self.theirs("list", "POST", "/api/v3/orderList/oco", **oco)
            return
        first = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": self.price()}
        then = {"symbol": "BTC-USDT", "side": "sell", "type": "limit", "price": above}
        orders = [each | {"qty": "0.01", "margin": "cash"} for each in (first, then)]
        await self.ours("list", "POST", "/v1/orders/list", {"kind": "oto", "orders": orders})

    # -- orders on contracts -------------------------------------------------------------------

    def leg(self, side: str) -> str:
        """In hedge mode the leg an order is of: now it opens one, now it closes the other."""
        if not self.hedge:
            return ""
        opens = self.random.random() < 0.6
        return "long" if (side == "buy") is opens else "short"

    async def contract_order(self) -> None:
        """A limit or market order on a contract of either kind."""
        api = self.random.choice(("fapi", "fapi", "dapi"))
        side = self.random.choice(("buy", "sell"))
        leg, reduce = self.leg(side), not self.hedge and self.random.random() < 0.2
        kind = self.random.choice(("limit", "limit", "GTX", "IOC", "market"))
        symbol, name = CONTRACTS[api]
        price, qty = self.price(), self.qty(contracts=api == "dapi")
        if self.by_theirs:
            fields: dict[str, Any] = {"symbol": name, "side": side.upper(), "quantity": qty}
            if kind == "market":
                fields["type"] = "MARKET"
            else:
                tif = "GTC" if kind == "limit" else kind
                fields |= {"type": "LIMIT", "timeInForce": tif, "price": price}
            if leg:
                fields["positionSide"] = leg.upper()
            if reduce:
                fields["reduceOnly"] = "true"
            await self.theirs("contract", "POST", f"/{api}/v1/order", **fields)
            return
        body: dict[str, Any] = {"symbol": symbol, "side": side, "qty": qty, "type": "limit"}
        body |= {"price": price} if kind != "market" else {"type": "market"}
        if kind == "GTX":
            body["post_only"] = True
        elif kind == "IOC":
            body["tif"] = "IOC"
        if leg:
            body["position_side"] = leg
        if reduce:
            body["reduce_only"] = True
        await self.ours("contract", "POST", "/v1/orders", body)

    async def conditional(self) -> None:
        """A stop, a take-profit or a trailing stop, as an algo order, as an order, or natively."""
        side = self.random.choice(("buy", "sell"))
        leg = self.leg(side)
        away = self.random.choice((50, 120, 400)) * (1 if side == "buy" else -1)
        trigger = str(MID + away)
        if not self.by_theirs:
            body: dict[str, Any] = {"symbol": "BTC-USDT-PERP", "side": side, "type": "stop"}
            body |= {"qty": self.qty(), "trigger_price": trigger, "trigger": "mark"}
            if leg:
                body["position_side"] = leg
            await self.ours("conditional", "POST", "/v1/orders", body)
            return
        api = self.random.choice(("fapi", "dapi"))
        fields = {"symbol": CONTRACTS[api][1], "side": side.upper()}
        fields |= {"type": "STOP_MARKET", "quantity": self.qty(contracts=api == "dapi")}
        if leg:
            fields["positionSide"] = leg.upper()
        if self.random.random() < 0.5:
            fields |= {"algoType": "CONDITIONAL", "triggerPrice": trigger}
            await self.theirs("algo", "POST", f"/{api}/v1/algoOrder", **fields)
        else:
            await self.theirs(
                "conditional", "POST", f"/{api}/v1/order", stopPrice=trigger, **fields
            )

    # -- what is there -------------------------------------------------------------------------

    async def one_open(self) -> dict[str, Any] | None:
        """One of the account's open orders, as the native door tells it."""
        orders = (await self.bot.trader.ask("GET", "/v1/orders?limit=1000")).json
        return self.random.choice(orders) if orders else None

    async def amend(self) -> None:
        """Another quantity, or price, for an order that rests."""
        order = await self.one_open()
        if order is None or order["type"] != "limit":
            return
        price = self.price()
        if not self.by_theirs:
            path = f"/v1/orders/{order['order_id']}"
            await self.ours("amend", "PATCH", path, {"price": price})
        elif order["wallet"] == "spot":
            fields = {"symbol": "BTCUSDT", "orderId": order["order_id"], "newQty": "0.005"}
            await self.theirs("amend", "PUT", "/api/v3/order/amend/keepPriority", **fields)
        elif order["wallet"] == "perp":
            api = "dapi" if order["symbol"] == "BTC-USD-PERP" else "fapi"
            fields = {"symbol": CONTRACTS[api][1], "orderId": order["order_id"]}
            fields |= {"side": order["side"].upper(), "price": price}
            fields["quantity"] = self.qty(contracts=api == "dapi")
            await self.theirs("amend", "PUT", f"/{api}/v1/order", **fields)

    async def cancel(self) -> None:
        """One order."""
        order = await self.one_open()
        if order is None:
            return
        order_id, wallet = order["order_id"], order["wallet"]
        if not self.by_theirs:
            await self.ours("cancel", "DELETE", f"/v1/orders/{order_id}")
        elif wallet == "perp":
            api = "dapi" if order["symbol"] == "BTC-USD-PERP" else "fapi"
            fields = {"symbol": CONTRACTS[api][1], "orderId": order_id}
            await self.theirs("cancel", "DELETE", f"/{api}/v1/order", **fields)
        else:
            place = wallet.partition(":")[0]
            fields = {"symbol": "BTCUSDT", "orderId": order_id}
            fields |= isolated(place)
            await self.theirs("cancel", "DELETE", at(place, "order"), **fields)

    async def cancel_all(self) -> None:
        """All orders of a wallet or a contract, now and then."""
        if self.random.random() < 0.7:
            return
        if self.by_theirs:
            wallet = self.random.choice(WALLETS)
            where = isolated(wallet) | {"symbol": "BTCUSDT"}
            await self.theirs("all", "DELETE", at(wallet, "openOrders"), **where)
            await self.theirs("all", "DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        else:
            await self.ours("all", "DELETE", "/v1/orders?symbol=BTC-USDT-PERP")

    # -- money and settings --------------------------------------------------------------------

    async def borrow(self) -> None:
        """A loan, or a part of one paid back."""
        kind, asset = self.random.choice(("BORROW", "REPAY")), self.random.choice(("USDT", "BTC"))
        amount = "50" if asset == "USDT" else "0.01"
        if self.by_theirs:
            fields: dict[str, Any] = {"type": kind, "asset": asset, "amount": amount}
            if self.random.random() < 0.5:
                fields |= {"isIsolated": "TRUE", "symbol": "BTCUSDT"}
            await self.theirs("loan", "POST", "/sapi/v1/margin/borrow-repay", **fields)
            return
        path = "/v1/loans" if kind == "BORROW" else "/v1/loans/repay"
        await self.ours(
            "loan", "POST", path, {"wallet": "margin", "asset": asset, "amount": amount}
        )

    async def transfer(self) -> None:
        """Money from one wallet to another."""
        if self.by_theirs:
            kind = self.random.choice(("MAIN_MARGIN", "MARGIN_MAIN", "MAIN_UMFUTURE"))
            fields = {"type": kind, "asset": "USDT", "amount": "11"}
            await self.theirs("transfer", "POST", "/sapi/v1/asset/transfer", **fields)
            return
        body = {"from": "perp:BTC", "to": "spot", "asset": "BTC", "amount": "0.01"}
        await self.ours("transfer", "POST", "/v1/transfers", body)

    async def settings(self) -> None:
        """Another leverage."""
        leverage = self.random.choice((5, 10, 20))
        if self.by_theirs:
            path, symbol = "/fapi/v1/leverage", "BTCUSDT"
            await self.theirs("leverage", "POST", path, symbol=symbol, leverage=leverage)
        else:
            body = {"leverage": {"symbol": "BTC-USD-PERP", "leverage": leverage}}
            await self.ours("leverage", "PUT", "/v1/settings", body)
