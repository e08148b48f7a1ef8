"""Random lives, told to bots: what each makes of its streams is what the desk shows at the end."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import cast

import msgspec
import pytest

from exchange.commands import AnyCommand, PlaceOrder
from exchange.engine import Engine
from exchange.events import AnyEvent
from exchange.gateway.binance.futures.order_shapes import is_algo, marked
from exchange.gateway.binance.streams.hub import Hub
from exchange.gateway.binance.streams.outbox import Outbox
from exchange.gateway.binance.symbols import Product, Symbols, name_of
from exchange.gateway.binance.user_data.feeds import UserData
from exchange.gateway.binance.user_data.scopes import CM, CONTRACTS, UM, product_of_scope
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.views.accounts import Accounts
from exchange.views.board import Board
from matching.types import TRIGGER_TYPES, Status
from risk.account import MARGIN, PERP, SPOT, isolated_wallet
from tests.exchange.gateway.binance.user_data.folding import ContractFold, SpotFold
from tests.simulation.random_life import SPOTS, Life
from tests.simulation.test_random_venue import ACTIONS, plan_of

COMMANDS = 400
HOUSE = range(1, 10)
SCOPES = (SPOT, MARGIN, *(isolated_wallet(symbol) for symbol in SPOTS), UM, CM)

Fold = SpotFold | ContractFold


class QuickLife(Life):
    """A life that no twin judges: this test asks only what is told of it."""

    def judge(self, wish: AnyCommand, events: list[AnyEvent], funds: dict[str, int | None]) -> None:
        """Judged elsewhere."""


def lived(seed: int) -> Life:
    """A life of so many commands."""
    life = QuickLife(seed)
    for step in plan_of(seed):
        life.act(ACTIONS, *step)
        if life.commands >= COMMANDS:
            return life
    raise AssertionError("a plan has no end")


def with_algos(command: AnyCommand) -> AnyCommand:
    """The command, whose conditional order on a contract is an algo order if it has no name."""
    if not isinstance(command, PlaceOrder) or command.client_id or command.wallet != PERP:
        return command
    if command.type not in TRIGGER_TYPES or command.seq % 2:
        return command
    return msgspec.structs.replace(command, client_id=marked(f"algo-{command.seq}"))


class Parts:
    """What user data asks of the exchange."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = self

    def wall_ms(self) -> int:
        """The wall stands still: no key runs out."""
        return 0

    def still(self, caller: Caller) -> bool:
        """Nobody's key is revoked."""
        return True


class Audience:
    """Every account's streams and every market's, held while the commands of a life are obeyed."""

    def __init__(self, life: Life, account_ids: list[int]) -> None:
        self.engine = Engine(life.story.venue)
        self.board = Board(self.engine.instruments)
        self.symbols = Symbols(self.engine.instruments)
        self.hub = Hub(self.board, self.symbols)
        self.user_data = UserData(cast(Doors, Parts(self.engine)), self.hub.private)
        self.folds: dict[tuple[int, str], tuple[Outbox, Fold]] = {}
        for account_id in account_ids:
            for scope in SCOPES:
                self._listen(account_id, scope)
        self.markets = Outbox(lambda: None, combined=True)
        for product, name in self._names():
            self.hub.hold(self.markets, product, name)
            self.hub.greet(self.markets, product, name)

    def _listen(self, account_id: int, scope: str) -> None:
        assets = {
            name_of(each): (each.base, each.quote) for each in self.engine.instruments.values()
        }
        outbox = Outbox(lambda: None, combined=False)
        key = self.user_data.open_key(Caller(account_id=account_id, key="k"), scope)
        self.hub.hold(outbox, product_of_scope(scope), key)
        fold = ContractFold() if scope in CONTRACTS else SpotFold(assets)
        self.folds[account_id, scope] = outbox, fold

    def _names(self) -> Iterator[tuple[Product, str]]:
        plain = ("trade", "aggTrade", "kline_1m", "ticker", "miniTicker", "bookTicker", "depth")
        products: tuple[Product, ...] = ("spot", "um", "cm")
        for product in products:
            for instrument in self.symbols.all(product):
                name = name_of(instrument).lower()
                yield from ((product, f"{name}@{topic}") for topic in (*plain, "depth5"))
                if product != "spot":
                    yield product, f"{name}@markPrice@1s"
                    yield product, f"{name}@forceOrder"
            yield from ((product, name) for name in ("!ticker@arr", "!miniTicker@arr"))

    def obey(self, number: int, command: AnyCommand) -> None:
        """One command, and what everybody hears of it."""
        groups = [self.engine.apply(with_algos(command))]
        self.board.on_group(groups)
        self.hub.on_group(groups)
        self.user_data.on_group(groups)
        self.hub.pulse(number * 1_000)
        for outbox, fold in self.folds.values():
            for frame in outbox.drain():
                fold.take(msgspec.json.decode(frame))
            fold.settle()
        for frame in self.markets.drain():
            assert msgspec.json.decode(frame)["stream"]


def told(life: Life, account_ids: list[int]) -> Audience:
    """A life as it was told."""
    audience = Audience(life, account_ids)
    for number, command in enumerate(life.story.commands, 1):
        try:
            audience.obey(number, command)
        except Exception as failure:
            failure.add_note(f"command {number}: {command}")
            raise
    return audience


def the_spot_fold_agrees(audience: Audience, account_id: int, scope: str) -> None:
    """Balances and open orders of a wallet are those of the desk."""
    fold = audience.folds[account_id, scope][1]
    assert isinstance(fold, SpotFold)
    desk = Accounts(audience.engine, audience.board).account(account_id)
    shown = {
        each.asset: (Decimal(each.free), Decimal(each.locked))
        for each in desk.balances
        if each.wallet == scope and Decimal(each.free) + Decimal(each.locked)
    }
    assert {asset: each for asset, each in fold.balances.items() if sum(each)} == shown
    orders = audience.engine.risk.accounts[account_id].orders.values()
    instruments = audience.engine.instruments
    assert fold.orders.open == {
        each.order_id: tuple(
            Decimal(instruments[each.symbol].qty_text(lots))
            for lots in (each.lots, each.filled_lots)
        )
        for each in orders
        if each.wallet == scope
    }


def the_contract_fold_agrees(audience: Audience, account_id: int, scope: str) -> None:
    """Balances, positions and open orders of a product are those of the desk."""
    fold = audience.folds[account_id, scope][1]
    assert isinstance(fold, ContractFold)
    instruments = audience.engine.instruments
    mine = {
        symbol for symbol, each in instruments.items() if each in audience.symbols.all(_of(scope))
    }
    desk = Accounts(audience.engine, audience.board).account(account_id)
    held: dict[str, Decimal] = {}
    for each in desk.balances:
        wallet = each.wallet
        cross = wallet == PERP if scope == UM else wallet.startswith(f"{PERP}:")
        leg = wallet.startswith(f"{PERP}/") and wallet[len(PERP) + 1 :].partition("/")[0] in mine
        if cross or leg:
            held[each.asset] = held.get(each.asset, Decimal(0)) + Decimal(each.total)
    assert {asset: total for asset, total in fold.wallets.items() if total} == {
        asset: total for asset, total in held.items() if total
    }
    signs = {"long": 1, "short": -1}
    assert {
        place: (Decimal(each["pa"]), each["ep"], each["mt"])
        for place, each in fold.positions.items()
        if Decimal(each["pa"])
    } == {
        (name_of(instruments[each.symbol]), _side(each.position_side)): (
            Decimal(each.qty) * signs[each.side],
            each.entry_price,
            each.margin_mode,
        )
        for each in desk.positions
        if each.symbol in mine
    }
    open_orders, waiting = {}, set()
    for order in audience.engine.risk.accounts[account_id].orders.values():
        if order.symbol not in mine:
            continue
        if is_algo(order.client_id) and order.status is Status.PENDING_TRIGGER:
            waiting.add(order.order_id)
            continue
        open_orders[order.order_id] = tuple(
            Decimal(instruments[order.symbol].qty_text(lots))
            for lots in (order.lots, order.filled_lots)
        )
    assert fold.orders.open == open_orders
    assert {order_id for order_id, status in fold.algos.items() if status == "NEW"} == waiting


def _of(scope: str) -> Product:
    return product_of_scope(scope)


def _side(position_side: str | None) -> str:
    return {"long": "LONG", "short": "SHORT"}.get(position_side or "", "BOTH")


@pytest.mark.parametrize("seed", range(8))
def test_reports_of_a_random_life_come_to_what_the_desk_shows(seed: int) -> None:
    life = lived(seed)
    audience = told(life, [*HOUSE, *life.people])
    for account_id in life.people:
        for scope in SCOPES:
            agrees = the_contract_fold_agrees if scope in CONTRACTS else the_spot_fold_agrees
            agrees(audience, account_id, scope)
