"""Both ways at a terminal, and the page that shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exchange.cli.client import Identity, find_place, keep_identity
from exchange.wire import CompareSay
from tests.conftest import ROOT
from tests.exchange.cli.test_trade import Desk, desk

__all__ = ["desk"]  # The fixture: somebody at a terminal.

PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")


async def test_the_example_of_the_page_is_what_the_command_prints(desk: Desk) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    line, _, printed = block.removeprefix("$ papertape ").partition("\n")
    assert await desk.type(*line.split()) == printed


async def test_for_machines_it_is_one_object(desk: Desk) -> None:
    said = await desk.type_json("compare", "BTC", "--side", "short", "--leverage", "3")
    assert set(said) == set(CompareSay.__struct_fields__)
    assert (said["side"], said["spot"]["borrow_asset"]) == ("short", "BTC")


async def test_what_cannot_be_is_said_below_with_its_reason(desk: Desk) -> None:
    out = await desk.type("compare", "BTC", "--leverage", "50")
    assert "(at most 10x) [LEVERAGE_OUT_OF_RANGE]" in out
    assert "BTC-USDT-PERP" in out
    await desk.type("compare", "EUR", code=1)
    assert "UNKNOWN_SYMBOL" in desk.err


def test_no_key_is_needed_to_know_where_the_exchange_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAPERTAPE_URL", raising=False)
    assert find_place(str(tmp_path)) == "http://127.0.0.1:8080"
    assert find_place(str(tmp_path), "http://there:1") == "http://there:1"
    keep_identity(tmp_path, Identity("http://here:2", "key", "secret"))
    assert find_place(str(tmp_path)) == "http://here:2"


@pytest.mark.parametrize("field", CompareSay.__struct_fields__)
def test_the_page_is_of_this_answer(field: str) -> None:
    assert field in {"env", "quote", "price"} or field in PAGE
