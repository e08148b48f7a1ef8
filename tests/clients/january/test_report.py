"""Tests of the report: notices told by hand become fates, fates become a table and stories."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients.channels import Event, Notice
from clients.january.people import Trader, four_traders
from clients.january.report import (
    Fate,
    average_price,
    cents,
    fate_of,
    level_text,
    liquidations_in,
    opened_text,
    report,
    table,
    tidy,
)
from clients.january.tape import Tape
from exchange.wire import PlacedSay, PnlSay
from tests.clients.wire_samples import margin, open_order

NINE_MS = 1_714_554_000_000  # 2024-05-01 09:00 UTC
HOUR_MS = 3_600_000


def notice(n: int, time_ms: int, what: str, **more: Any) -> Event:
    """A numbered notice of the margin channel."""
    scope = margin(more.pop("wallet", "margin"))
    said = {name: getattr(scope, name) for name in scope.__struct_fields__}
    return Event("margin", n, time_ms, Notice(**(said | {"notice": what} | more)))


def placed(qty: str = "0.06", average: str | None = "50000.005", side: str = "buy") -> PlacedSay:
    order = open_order(1, "BTC-USDT", side, None, qty)
    order.filled_qty, order.average_price = qty, average
    return PlacedSay(order, [])


def trader(notices: list[Event]) -> Trader:
    made = four_traders()[0]
    made.placed = placed()
    made.notices = notices
    return made


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    path = tmp_path / "t.csv"
    rows = ["open_time,open,high,low,close", f"{NINE_MS},47800,47803,47730.30,47733.3"]
    path.write_text("\n".join(rows), "utf-8")
    return Tape(path)


LIQUIDATED = [
    notice(1, NINE_MS - HOUR_MS, "interest", asset="USDT", amount="0.02", due=NINE_MS - HOUR_MS),
    notice(2, NINE_MS, "interest", asset="USDT", amount="0.02", due=NINE_MS),
    notice(3, NINE_MS, "funding", wallet="perp", symbol="P", amount="-1.92", due=NINE_MS),
    notice(4, NINE_MS + 1_000, "margin_call", level="1.299951791889", add="0.0964"),
    notice(5, NINE_MS + 1_500, "margin_call_cleared", level="1.300041", add="0"),
    notice(6, NINE_MS + 2_000, "liquidation_started", level="1.09999", mark="0"),
    notice(7, NINE_MS + 2_000, "liquidation_step", wallet="perp", step="sold", qty="9", price="1"),
    notice(8, NINE_MS + 2_000, "liquidation_step", step="sold", symbol="S", qty="1", price="100.0"),
    notice(9, NINE_MS + 3_000, "liquidation_step", step="repaid", asset="USDT", amount="90"),
    notice(10, NINE_MS + 3_000, "liquidation_step", step="fund", symbol="S", qty="3", price="96"),
    notice(11, NINE_MS + 3_000, "liquidation_ended", result="bankrupt", covered="12.5"),
    notice(12, NINE_MS + 4_000, "liquidation_step", step="sold", symbol="S", qty="1", price="5"),
]
PNL = PnlSay("-476.955", "-2.5", "-0.04", "-1.92", "-10", "200000", "199508.6")


def test_equity_is_the_stake_and_every_cause() -> None:
    fate = fate_of(trader([]), PNL)
    # 1000 - 476.955 - 2.5 - 0.04 - 1.92 - 10 = 508.585, and half a cent goes to the even one.
    assert fate.equity == "508.58"
    assert (fate.price, fate.fees, fate.interest) == ("-476.96", "-2.50", "-0.04")
    assert (fate.funding, fate.liquidation) == ("-1.92", "-10.00")


def test_charges_are_told_one_by_one_with_the_sign_of_the_account() -> None:
    fate = fate_of(trader(LIQUIDATED), PNL)
    assert [(each.kind, each.due, each.amount, each.asset) for each in fate.charges] == [
        ("interest", NINE_MS - HOUR_MS, "-0.02", "USDT"),
        ("interest", NINE_MS, "-0.02", "USDT"),
        ("funding", NINE_MS, "-1.92", "USDT"),
    ]
    assert (fate.count("interest"), fate.count("funding")) == (2, 1)


def test_a_call_that_is_over_is_no_second_call() -> None:
    fate = fate_of(trader(LIQUIDATED), PNL)
    assert fate.called == 1
    assert [call.cleared for call in fate.calls] == [False, True]


def test_a_liquidation_is_its_own_scope_from_its_start_to_its_end() -> None:
    (one,) = liquidations_in(LIQUIDATED)
    assert one.scope == "margin"
    assert [(sale.step, sale.qty, sale.price) for sale in one.sales] == [
        ("sold", "1", "100.0"),
        ("fund", "3", "96"),
    ]
    assert (one.result, one.covered) == ("bankrupt", "12.5")
    # (1 x 100 + 3 x 96) / 4 = 97
    assert average_price(one.sales) == "97.00"


def test_a_liquidation_that_is_not_over_says_so(tape: Tape) -> None:
    made = trader(LIQUIDATED[:8])
    (one,) = fate_of(made, PNL).liquidations
    assert one.result is None
    assert "  ended: not over yet" in report([fate_of(made, PNL)], tape)


def test_the_story_names_times_prices_and_the_bar(tape: Tape) -> None:
    said = report([fate_of(trader(LIQUIDATED), PNL)], tape).splitlines()
    assert said[-9:] == [
        "margin-long: 3x cross margin: borrowed 2,000 USDT, bought BTC; bought 0.06 at 50000.00",
        "  2024-05-01 09:00:01  margin call at a margin level of 1.2999: add 0.10 USDT",
        "  2024-05-01 09:00:01.500  margin call over, at a margin level of 1.3000",
        "  2024-05-01 09:00:02  liquidation of margin, level 1.0999",
        "  2024-05-01 09:00:02  sold 1 S at 100",
        "  2024-05-01 09:00:03  handed to the insurance fund 3 S at 96",
        "    on average at 97.00",
        "    the bar of 2024-05-01 09:00:00: open 47800, high 47803, low 47730.3, close 47733.3",
        "    ended: bankrupt; the insurance fund paid 12.5",
    ]


def test_a_liquidation_before_the_first_bar_has_no_bar(tape: Tape) -> None:
    early = [notice(1, NINE_MS - 1, "liquidation_started", wallet="perp", mark="47735.0")]
    said = report([fate_of(trader(early), PNL)], tape)
    assert "liquidation of perp at a mark of 47735, level 999.0000" in said
    assert "the bar of" not in said


def test_lost_notices_are_owned_up_to(tape: Tape) -> None:
    made = trader([])
    assert "lost" not in report([fate_of(made, PNL)], tape)
    made.missed = True
    assert "some notices were lost" in report([fate_of(made, PNL)], tape)


def fate(name: str, **more: Any) -> Fate:
    sums = dict.fromkeys(("price", "fees", "interest", "funding", "liquidation"), "0.00")
    rest: dict[str, Any] = {"calls": (), "liquidations": (), "charges": ()}
    return Fate(name=name, story="", opened="", equity="1000.00", **(sums | rest | more))


def test_the_table_lines_up_to_the_right() -> None:
    lines = table([fate("one", price="-12.34"), fate("another")]).splitlines()
    assert lines[:2] == [
        "                     one  another",
        "price P&L         -12.34     0.00",
    ]
    assert lines[-1] == "final equity     1000.00  1000.00"
    assert len({len(line) for line in lines}) == 1


def test_an_order_that_filled_nothing_is_told_as_such() -> None:
    assert opened_text(placed("0", None)) == "bought nothing"
    assert opened_text(placed("0.384", "50106.89453125", "sell")) == "sold 0.384 at 50106.89"


def test_numbers_are_written_as_people_read_them() -> None:
    assert cents(Decimal("-0.004")) == "0.00"
    assert tidy("47730.30") == "47730.3"
    assert tidy("100") == "100"
    assert level_text("1.29999") == "1.2999"
