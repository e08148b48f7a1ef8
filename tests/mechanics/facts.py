"""What a line that begins with `=>` asks of an example: a number, or what has just happened."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from exchange.events import (
    Answered,
    Deleveraged,
    Filled,
    FundingCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
)
from matching.instrument import amount_text
from risk.account import position_wallet
from risk.adl import adl_rank
from risk.dust import max_sellable_minor
from risk.ledger import HOUSE_NAMES
from risk.margin_report import margin_report
from risk.margin_worth import max_borrow, max_transfer_out
from risk.perp_report import perp_report, position_report
from risk.perp_worth import perp_worth, unrealised_e16
from risk.state import RiskState
from tests.mechanics.reading import Line, Value
from tests.mechanics.scene import Scene
from tests.story import of

E8, E12, E16, E28 = 10**8, 10**12, 10**16, 10**28


def fact(scene: Scene, line: Line) -> tuple[Value, str]:
    """What a line asks for, and what it says the answer is."""
    name, words = line.words[0], line.words[1:]
    who = scene.account(line.who)
    if name in HAPPENED:
        return HAPPENED[name](scene, who), " ".join(words)
    return NUMBERS[name](scene, who, words[:-1]), words[-1]


def untold(scene: Scene) -> list[str]:
    """Steps of a liquidation of which only some were told."""
    return scene.steps or []


def _risk(scene: Scene) -> RiskState:
    return scene.story.engine.risk


# -- balances and levels -----------------------------------------------------------------------


def _balance(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(scene.story.person(who).minor(*words), E8)


def _owed(scene: Scene, who: int, words: list[str]) -> Value:
    loan = scene.story.person(who).loans.get((words[0], words[1]))
    return Fraction(loan.owed_e18 if loan else 0, 10**18)


def _level(scene: Scene, who: int, words: list[str]) -> Value:
    told = margin_report(_risk(scene), scene.story.person(who), words[0])
    return Fraction(told.level_e12, E12) if told.level_e12 is not None else None


def _collateral_level(scene: Scene, who: int, words: list[str]) -> Value:
    told = margin_report(_risk(scene), scene.story.person(who), words[0])
    level = told.collateral_level_e12
    return Fraction(level, E12) if level is not None else None


def _collateral(scene: Scene, who: int, words: list[str]) -> Value:
    told = margin_report(_risk(scene), scene.story.person(who), words[0])
    return Fraction(told.collateral_e16, E16)


def _max_borrow(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(max_borrow(_risk(scene), scene.story.person(who), *words), E8)


def _max_out(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(max_transfer_out(_risk(scene), scene.story.person(who), *words), E8)


def _liquidation_price(scene: Scene, who: int, words: list[str]) -> Value:
    """Of a position by its symbol; of a margin wallet, with the asset whose price moves."""
    account = scene.story.person(who)
    if len(words) == 1:
        price = position_report(_risk(scene), account, words[0]).liquidation_e8
    else:
        told = margin_report(_risk(scene), account, words[0])
        price = told.liquidation_prices_e8.get(words[1])
    return None if price is None else Fraction(price, E8)


def _call_price(scene: Scene, who: int, words: list[str]) -> Value:
    told = margin_report(_risk(scene), scene.story.person(who), words[0])
    price = told.call_prices_e8.get(words[1])
    return None if price is None else Fraction(price, E8)


def _hourly_rate(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(_risk(scene).rates_e12[words[0]], E12)


def _bad_debt(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(_risk(scene).bad_debt.get(words[0], 0), E8)


def _house(scene: Scene, who: int, words: list[str]) -> Value:
    """What one of the house's accounts has gained of an asset since the example began."""
    assert words[0] in HOUSE_NAMES.values(), words
    now = _risk(scene).ledger.house_totals().get(words[1], {}).get(words[0], 0)
    return Fraction(now - scene.house.get(words[1], {}).get(words[0], 0), E8)


def _gain(scene: Scene, who: int, words: list[str]) -> Value:
    """All that somebody has at index and mark, less what is owed and less what was put in."""
    risk, account = _risk(scene), scene.story.person(who)
    risk.settle(account)
    total = Fraction(0)
    for (_, asset), pocket in account.pockets.items():
        total += Fraction(pocket.minor * (risk.price_e8(asset) or 0), E16)
    for loan in account.loans.values():
        total -= Fraction(loan.owed_e18 * (risk.price_e8(loan.asset) or 0), 10**26)
    for held in account.positions.values():
        total += Fraction(unrealised_e16(risk, held), E16)
    names = {number: name for name, number in scene.people.items()}
    for (name, asset), minor in scene.put_in.items():
        if name == names[who]:
            total -= Fraction(minor * (risk.price_e8(asset) or 0), E16)
    return total


def _max_sellable(scene: Scene, who: int, words: list[str]) -> Value:
    instrument = scene.story.engine.instruments[words[0]]
    free = scene.story.person(who).free("spot", instrument.base)
    price_e8 = _risk(scene).price_e8(instrument.base)
    return Fraction(max_sellable_minor(instrument, free, price_e8), E8)


# -- positions ---------------------------------------------------------------------------------


def _factor(scene: Scene, leg: str) -> int:
    """What turns a value in the quote, 10^-16, into minor units of what the contract settles in."""
    contract = _risk(scene).contracts[leg.partition("/")[0]]
    mark = _risk(scene).mark_e8(contract.symbol)
    assert mark is not None
    return contract.factor(mark)


def _size(scene: Scene, who: int, words: list[str]) -> Value:
    contract = _risk(scene).contracts[words[0].partition("/")[0]]
    lots = scene.story.person(who).lots(words[0])
    unit = E8 * (contract.lot_minor if contract.inverse else 1)
    return Fraction(lots * contract.lot_minor, unit)


def _entry(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(position_report(_risk(scene), scene.story.person(who), words[0]).entry_e8, E8)


def _profit(scene: Scene, who: int, words: list[str]) -> Value:
    held = scene.story.person(who).positions[words[0]]
    return Fraction(unrealised_e16(_risk(scene), held), _factor(scene, words[0]) * E8)


def _initial(scene: Scene, who: int, words: list[str]) -> Value:
    told = position_report(_risk(scene), scene.story.person(who), words[0])
    return Fraction(told.initial_e16, _factor(scene, words[0]) * E8)


def _maintenance(scene: Scene, who: int, words: list[str]) -> Value:
    held = scene.story.person(who).positions[words[0]]
    contract = _risk(scene).contracts[held.symbol]
    mark = _risk(scene).mark_e8(held.symbol)
    assert mark is not None
    need = contract.maintenance_e28(held.lots, mark)
    return Fraction(need, contract.factor(mark) * E8 * E12)


def _position_margin(scene: Scene, who: int, words: list[str]) -> Value:
    contract = _risk(scene).contracts[words[0].partition("/")[0]]
    wallet = position_wallet(words[0])
    return Fraction(scene.story.person(who).minor(wallet, contract.settle), E8)


def _bankruptcy_price(scene: Scene, who: int, words: list[str]) -> Value:
    told = position_report(_risk(scene), scene.story.person(who), words[0])
    if told.bankruptcy_ticks is None:
        return None
    contract = _risk(scene).contracts[words[0].partition("/")[0]]
    return Fraction(told.bankruptcy_ticks * contract.tick_e8, E8)


def _adl_rank(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(adl_rank(_risk(scene), scene.story.person(who), words[0]) or 0)


# -- perpetual wallets -------------------------------------------------------------------------


def _settle_of(words: list[str]) -> str:
    return words[0].partition(":")[2] or "USDT"


def _margin_balance(scene: Scene, who: int, words: list[str]) -> Value:
    worth = perp_worth(_risk(scene), scene.story.person(who), words[0])
    return Fraction(worth.balance_e16, worth.factor * E8)


def _order_margin(scene: Scene, who: int, words: list[str]) -> Value:
    worth = perp_worth(_risk(scene), scene.story.person(who), words[0])
    return Fraction(worth.orders_e16, worth.factor * E8)


def _kept_back(scene: Scene, who: int, words: list[str]) -> Value:
    worth = perp_worth(_risk(scene), scene.story.person(who), words[0])
    return Fraction(worth.held_e16, worth.factor * E8)


def _available(scene: Scene, who: int, words: list[str]) -> Value:
    told = perp_report(_risk(scene), scene.story.person(who), _settle_of(words))
    return Fraction(told.available_minor, E8)


def _withdrawable(scene: Scene, who: int, words: list[str]) -> Value:
    told = perp_report(_risk(scene), scene.story.person(who), _settle_of(words))
    return Fraction(told.withdrawable_minor, E8)


# -- prices ------------------------------------------------------------------------------------


def _mark(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(_risk(scene).mark_e8(words[0]) or 0, E8)


def _last_funding(scene: Scene, who: int, words: list[str]) -> Value:
    return Fraction(_risk(scene).marks[words[0]].last_rate_e12, E12)


NUMBERS: dict[str, Callable[[Scene, int, list[str]], Value]] = {
    "balance": _balance,
    "owed": _owed,
    "level": _level,
    "collateral": _collateral,
    "collateral-level": _collateral_level,
    "max-borrow": _max_borrow,
    "max-out": _max_out,
    "max-sellable": _max_sellable,
    "liquidation-price": _liquidation_price,
    "call-price": _call_price,
    "hourly-rate": _hourly_rate,
    "bad-debt": _bad_debt,
    "house": _house,
    "gain": _gain,
    "size": _size,
    "entry": _entry,
    "profit": _profit,
    "initial": _initial,
    "maintenance": _maintenance,
    "position-margin": _position_margin,
    "bankruptcy-price": _bankruptcy_price,
    "adl-rank": _adl_rank,
    "margin-balance": _margin_balance,
    "order-margin": _order_margin,
    "kept-back": _kept_back,
    "available": _available,
    "withdrawable": _withdrawable,
    "mark": _mark,
    "last-funding": _last_funding,
}


# -- what has just happened --------------------------------------------------------------------


def _refused(scene: Scene, who: int) -> Value:
    reason = of(scene.last, Answered)[-1].reason
    return reason.name if reason else None


def _fee(scene: Scene, who: int) -> Value:
    """Of the fills that this made, by asset."""
    paid: dict[str, int] = {}
    for each in of(scene.last, Filled):
        if each.account_id == who:
            paid[each.fee_asset] = paid.get(each.fee_asset, 0) + each.fee_minor
    return ", ".join(f"{amount_text(minor)} {asset}" for asset, minor in paid.items()) or None


def _realised(scene: Scene, who: int) -> Value:
    mine = [each.realised_minor for each in of(scene.last, Filled) if each.account_id == who]
    return amount_text(sum(mine))


def _filled(scene: Scene, who: int) -> Value:
    """Each fill of this, in order."""
    mine = [each for each in of(scene.last, Filled) if each.account_id == who]
    return ", ".join(_at(scene, each.symbol, each.lots, each.price_ticks) for each in mine) or None


def _at(scene: Scene, symbol: str, lots: int, ticks: int) -> str:
    instrument = scene.story.engine.instruments[symbol]
    each = 1 if instrument.kind == "inverse" else instrument.lot_minor
    size = str(lots) if instrument.kind == "inverse" else amount_text(lots * each)
    return f"{size} at {amount_text(ticks * instrument.tick_e8)}"


def _funding(scene: Scene, who: int) -> Value:
    mine = [each.flow_minor for each in of(scene.last, FundingCharged) if each.account_id == who]
    return ", ".join(amount_text(each) for each in mine) or None


def _called(scene: Scene, who: int) -> Value:
    """The scopes that were called, and those of which a call was taken back."""
    mine = [each for each in of(scene.last, MarginCalled) if each.account_id == who]
    told = [f"{each.scope} cleared" if each.cleared else each.scope for each in mine]
    return ", ".join(told) or None


def _call_asks(scene: Scene, who: int) -> Value:
    mine = [each.add_minor for each in of(scene.last, MarginCalled) if each.account_id == who]
    return ", ".join(amount_text(each) for each in mine) or None


def _liquidated(scene: Scene, who: int) -> Value:
    mine = [each.scope for each in of(scene.last, LiquidationStarted) if each.account_id == who]
    scene.steps = [
        _step(scene, each) for each in of(scene.last, LiquidationStepped) if each.account_id == who
    ]
    return ", ".join(mine) or None


def _step(scene: Scene, told: LiquidationStepped) -> str:
    if told.lots:
        return f"{told.step} {_at(scene, told.symbol, told.lots, told.price_ticks)}"
    return f"{told.step} {amount_text(told.amount_minor)} {told.asset}"


def _next_step(scene: Scene, who: int) -> Value:
    """The next step of the liquidation that `liquidated` told of."""
    return scene.steps.pop(0) if scene.steps else None


def _ended(scene: Scene, who: int) -> Value:
    mine = [each for each in of(scene.last, LiquidationEnded) if each.account_id == who]
    told = []
    for each in mine:
        paid = f", the fund paid {amount_text(each.covered_minor)}" if each.covered_minor else ""
        told.append(each.result + paid)
    return "; ".join(told) or None


def _deleveraged(scene: Scene, who: int) -> Value:
    mine = [each for each in of(scene.last, Deleveraged) if each.account_id == who]
    return ", ".join(_at(scene, each.symbol, each.lots, each.price_ticks) for each in mine) or None


def _working(scene: Scene, who: int) -> Value:
    """What is open of somebody's orders, the oldest first."""
    told = []
    for order in scene.story.person(who).orders.values():
        price = order.price_ticks or order.trigger_ticks
        size = _at(scene, order.symbol, order.open_lots, price)
        if order.close_position:
            size = "all" + size[size.index(" at ") :]
        told.append(f"{order.side.name.lower()} {size}")
    return ", ".join(told) or None


HAPPENED: dict[str, Callable[[Scene, int], Value]] = {
    "refused": _refused,
    "fee": _fee,
    "realised": _realised,
    "filled": _filled,
    "funding": _funding,
    "called": _called,
    "call-asks": _call_asks,
    "liquidated": _liquidated,
    "step": _next_step,
    "ended": _ended,
    "deleveraged": _deleveraged,
    "working": _working,
}
