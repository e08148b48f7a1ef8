"""Orders of a futures account as its user data stream tells them, algo orders among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exchange.events import AnyEvent, Deleveraged
from exchange.gateway.binance.client_ids import ADL_CLIENT_ID
from exchange.gateway.binance.futures import order_shapes as shapes
from exchange.gateway.binance.futures.order_shapes import Told, of_event
from exchange.gateway.binance.symbols import name_of
from exchange.gateway.binance.user_data import reports
from exchange.gateway.binance.user_data.reports import IsNew, Report, reports_of
from matching.instrument import Instrument, amount_text, fixed_text
from matching.limits import SCALE
from matching.types import Status
from risk.account import Account, leg_of, side_of
from risk.state import RiskState

Payload = dict[str, Any]

NO_ORDER: Final = 0  # A reduction at another's bankruptcy price is no order of the account.

_WORDS: Final = {reports.TRIGGERED: "NEW", reports.AMENDED: "AMENDMENT"}
_ALGO_ENDS: Final = {
    reports.CANCELED: "CANCELED",
    reports.EXPIRED: "EXPIRED",
    reports.REJECTED: "REJECTED",
}


def order_events(
    risk: RiskState, account: Account, events: Sequence[AnyEvent], is_new: IsNew
) -> list[Payload]:
    """What became of orders, in its order."""
    said: list[Payload] = []
    for event in events:
        if isinstance(event, Deleveraged):
            said.append(_deleveraged(risk, account, event))
    for report in reports_of(events, is_new):
        order = report.order
        told = _at(risk, report)
        instrument = risk.instruments[order.symbol]
        if shapes.is_algo(order.client_id):
            said += [_algo_update(each, told, instrument) for each in _algo_steps(report)]
            if not order.triggered_ms:
                continue
        said.append(_trade_update(risk, account, report, told))
    return said


def _at(risk: RiskState, report: Report) -> Told:
    """The order as it stood at this step."""
    told, order = of_event(report.order), report.order
    filled_minor = order.filled_minor
    if report.filled_lots != order.filled_lots:
        contract = risk.contracts[order.symbol]
        average = report.filled_units // report.filled_lots if report.filled_lots else 0
        filled_minor = contract.amount_minor(report.filled_lots, average) if average else 0
    return told._replace(
        status=report.status,
        filled_lots=report.filled_lots,
        filled_units=report.filled_units,
        filled_minor=filled_minor,
    )


# -- orders ------------------------------------------------------------------------------------


def _trade_update(risk: RiskState, account: Account, report: Report, told: Told) -> Payload:
    instrument = risk.instruments[told.symbol]
    order, fill = report.order, report.fill
    word = _WORDS.get(report.kind, report.kind)
    if fill is not None and order.forced:
        word = "CALCULATED"
    said: Payload = {
        "s": name_of(instrument),
        "c": shapes.client_word(told),
        "S": shapes.side_word(told),
        "o": "LIQUIDATION" if order.forced else shapes.type_word(told),
        "f": shapes.tif_word(told),
        "q": instrument.qty_text(told.lots),
        "p": instrument.price_text(told.price_ticks),
        "ap": shapes.average_word(told, instrument),
        "sp": instrument.price_text(0 if told.trailing_bps else told.trigger_ticks),
        "x": word,
        "X": shapes.status_word(told),
        "i": told.order_id,
        "l": instrument.qty_text(fill.lots if fill else 0),
        "z": instrument.qty_text(told.filled_lots),
        "L": instrument.price_text(fill.price_ticks if fill else 0),
        "n": _money(fill.fee_minor) if fill else "0",
        "N": fill.fee_asset if fill else instrument.settle,
        "T": order.time_ms,
        "t": fill.trade_id if fill else 0,
        **_open_notionals(account, told),
        "m": fill.maker if fill else False,
        "R": told.reduce_only,
        "wt": shapes.working_type_word(told),
        "ot": shapes.orig_type_word(told),
        "ps": shapes.position_side_word(told.position_side),
        "cp": told.close_position,
    }
    if told.trailing_bps:
        said["AP"] = instrument.price_text(told.trigger_ticks)
        said["cr"] = shapes.callback_word(told)
    said |= {
        "rp": _money(fill.realised_minor) if fill else "0",
        "pP": told.price_protect,
        "si": 0,
        "ss": 0,
        "V": shapes.STP_WORDS[told.stp],
        "pm": "NONE",
        "gtd": told.expire_ms,
    }
    return _wrapped("ORDER_TRADE_UPDATE", order.time_ms, said)


def _open_notionals(account: Account, told: Told) -> Payload:
    """What the account's working orders on the position come to, on either side."""
    resting = account.open_perp.get(leg_of(told.symbol, told.position_side))
    return {
        "b": amount_text(resting.buy_minor) if resting else "0",
        "a": amount_text(resting.sell_minor) if resting else "0",
    }


def _wrapped(name: str, time_ms: int, said: Payload) -> Payload:
    return {"e": name, "E": time_ms, "T": time_ms, "o": said}


def _deleveraged(risk: RiskState, account: Account, event: Deleveraged) -> Payload:
    """A position reduced by auto-deleveraging, told as the order that clients know it by."""
    instrument = risk.instruments[event.symbol]
    lots, price = instrument.qty_text(event.lots), instrument.price_text(event.price_ticks)
    said: Payload = {
        "s": name_of(instrument),
        "c": ADL_CLIENT_ID,
        "S": event.side.name,
        "o": "LIMIT",
        "f": "IOC",
        "q": lots,
        "p": price,
        "ap": price,
        "sp": instrument.price_text(0),
        "x": "CALCULATED",
        "X": "FILLED",
        "i": NO_ORDER,
        "l": lots,
        "z": lots,
        "L": price,
        "n": "0",
        "N": event.asset,
        "T": event.time_ms,
        "t": 0,
        "b": "0",
        "a": "0",
        "m": False,
        "R": True,
        "wt": "CONTRACT_PRICE",
        "ot": "LIMIT",
        "ps": shapes.position_side_word(side_of(event.leg)),
        "cp": False,
        "rp": _money(event.realised_minor),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
    }
    return _wrapped("ORDER_TRADE_UPDATE", event.time_ms, said)


# -- algo orders -------------------------------------------------------------------------------


def _algo_steps(report: Report) -> list[tuple[str, Report]]:
    """Where an algo order comes to at a step: it is done once the order it became is."""
    if report.kind == reports.NEW:
        # One that takes the place of an order that woke before is new, and awake.
        awake = report.order.triggered_ms and report.order.happening != reports.WOKEN
        return [("TRIGGERED" if awake else "NEW", report)]
    if report.kind == reports.TRIGGERED:
        return [("TRIGGERING", report), ("TRIGGERED", report)]
    if not report.order.triggered_ms:
        word = _ALGO_ENDS.get(report.kind, "NEW")
        return [(word, report)]
    if report.kind == reports.REJECTED:
        return [("REJECTED", report)]
    over = report.status not in {Status.NEW, Status.PARTIALLY_FILLED}
    return [("FINISHED", report)] if over else []


def _algo_update(step: tuple[str, Report], told: Told, instrument: Instrument) -> Payload:
    status, report = step
    order = report.order
    began = bool(order.triggered_ms) and status not in {"TRIGGERING", "REJECTED"}
    said: Payload = {
        "caid": shapes.client_word(told),
        "aid": told.order_id,
        "at": "CONDITIONAL",
        "o": shapes.orig_type_word(told),
        "s": name_of(instrument),
        "S": shapes.side_word(told),
        "ps": shapes.position_side_word(told.position_side),
        "f": shapes.tif_word(told),
        "q": instrument.qty_text(told.lots),
        "X": status,
        "ai": str(told.order_id) if began else "",
        "ap": shapes.average_word(told, instrument) if began else instrument.price_text(0),
        "aq": instrument.qty_text(told.filled_lots),
        "act": shapes.type_word(told) if began else "0",
        "tp": instrument.price_text(told.trigger_ticks),
        "p": instrument.price_text(told.price_ticks),
        "V": shapes.STP_WORDS[told.stp],
        "wt": shapes.working_type_word(told),
        "pm": "NONE",
        "cp": told.close_position,
        "pP": told.price_protect,
        "R": told.reduce_only,
        "tt": told.triggered_ms,
        "gtd": told.expire_ms,
    }
    if status == "REJECTED":
        said["rm"] = order.reason.value if order.reason is not None else ""
    return _wrapped("ALGO_UPDATE", order.time_ms, said)


def _money(amount_minor: int) -> str:
    return fixed_text(amount_minor, SCALE)
