"""Transfers between the wallets of an account, and which of them there were."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from exchange.commands import Transfer
from exchange.gateway.binance.accounts.amounts import amount_of, asset_named, asset_of, eight
from exchange.gateway.binance.accounts.endpoints import paying, reading
from exchange.gateway.binance.accounts.pages import page, span
from exchange.gateway.binance.accounts.wallets import (
    CM,
    MAIN,
    PAIR,
    UM,
    kind_of,
    margin_wallet,
    need,
    pair_of,
    refuse_same,
    symbol_in,
    wallet_of,
    word_of,
    words_of,
)
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.storage.rows import LedgerRow
from risk.account import MARGIN, SPOT, isolated_wallet
from risk.ledger import PostingReason

CONFIRMED: Final = "CONFIRMED"
# Of the transfers to and from futures that older clients ask for by a number.
FUTURES_TYPES: Final = {1: (MAIN, UM), 2: (UM, MAIN), 3: (MAIN, CM), 4: (CM, MAIN)}
MARGIN_TYPES: Final = {1: (SPOT, MARGIN), 2: (MARGIN, SPOT)}
PLACES: Final = {"SPOT": MAIN, "ISOLATED_MARGIN": PAIR}


class Moved(NamedTuple):
    """A transfer that was made; it is called by the number of its command."""

    tran_id: int
    time_ms: int
    source: str
    target: str
    asset: str
    amount_minor: int


async def transfer(call: Call) -> dict[str, int]:
    """Between any two wallets, by `type`; `fromSymbol` and `toSymbol` name isolated pairs."""
    source, target = words_of(call.params.need("type").upper())
    asset = asset_of(call)
    return await _moved(
        call,
        wallet_of(call, source, asset, "fromSymbol"),
        wallet_of(call, target, asset, "toSymbol"),
        asset,
    )


async def margin_transfer(call: Call) -> dict[str, int]:
    """Between spot and cross margin: type 1 in, 2 out."""
    wallets = MARGIN_TYPES.get(call.params.need_integer("type"))
    if wallets is None:
        raise refused(BAD_VALUE, "type")
    return await _moved(call, *wallets, asset_of(call))


async def isolated_transfer(call: Call) -> dict[str, int]:
    """Between spot and a pair's isolated margin, by `transFrom` and `transTo`."""
    asset = asset_of(call)
    wallets = []
    for name in ("transFrom", "transTo"):
        call.params.need(name)
        word = PLACES[call.params.choice(name, PLACES)]
        wallets.append(wallet_of(call, word, asset, "symbol"))
    return await _moved(call, wallets[0], wallets[1], asset)


async def futures_transfer(call: Call) -> dict[str, int]:
    """Between spot and perpetuals: 1 and 2 to and from USD-M, 3 and 4 COIN-M."""
    words = FUTURES_TYPES.get(call.params.need_integer("type"))
    if words is None:
        raise refused(BAD_VALUE, "type")
    asset = asset_of(call)
    source, target = (wallet_of(call, word, asset, "symbol") for word in words)
    return await _moved(call, source, target, asset)


async def _moved(call: Call, source: str, target: str, asset: str) -> dict[str, int]:
    """Move the `amount`; -1128, -3020, -3023, -3027, -3041 or -11001."""
    account = call.account
    refuse_same(source, target)
    need(account, source)
    done = await call.submit(
        Transfer(
            account_id=account.id,
            source=source,
            target=target,
            asset=asset,
            amount_minor=amount_of(call),
        )
    )
    return {"tranId": done.answer.seq}


async def transfers(call: Call) -> dict[str, Any]:
    """Those of a `type`, newest first; isolated ones by `fromSymbol` and `toSymbol`."""
    kind = call.params.need("type").upper()
    words = words_of(kind)
    for word, name in zip(words, ("fromSymbol", "toSymbol"), strict=True):
        if word == PAIR:
            pair_of(call, name)
    rows = [
        {
            "asset": each.asset,
            "amount": eight(each.amount_minor),
            "type": kind,
            "status": CONFIRMED,
            "tranId": each.tran_id,
            "timestamp": each.time_ms,
        }
        for each in await _past(call)
        if kind_of(each.source, each.target) == kind_of_words(words)
        and _is_of(call, each.source, "fromSymbol")
        and _is_of(call, each.target, "toSymbol")
    ]
    return page(call, rows)


def kind_of_words(words: tuple[str, str]) -> str:
    """The type as transfers are listed by: two spellings are one."""
    wallets = {MAIN: SPOT, PAIR: isolated_wallet(""), "MARGIN": MARGIN, UM: "perp", CM: "perp:"}
    return kind_of(wallets[words[0]], wallets[words[1]])


def _is_of(call: Call, wallet: str, name: str) -> bool:
    """Whether a wallet is the pair's that a parameter names; any is where it names none."""
    wanted, symbol = call.params.get(name).upper(), symbol_in(call, wallet)
    return not wanted or not symbol or symbol == wanted


async def margin_transfers(call: Call) -> dict[str, Any]:
    """Into cross margin (ROLL_IN) and out of it, or a pair's isolated wallet."""
    wallet = margin_wallet(call)
    kind = call.params.choice("type", ("ROLL_IN", "ROLL_OUT"))
    asset = asset_named(call)
    rows = [
        _rolled(call, each, wallet)
        for each in await _past(call)
        if wallet in (each.source, each.target) and asset in (None, each.asset)
    ]
    return page(call, [row for row in rows if kind in ("", row["type"])])


def _rolled(call: Call, each: Moved, wallet: str) -> dict[str, Any]:
    """A transfer as seen from a margin wallet."""
    said = {
        "amount": eight(each.amount_minor),
        "asset": each.asset,
        "status": CONFIRMED,
        "timestamp": each.time_ms,
        "txId": each.tran_id,
        "type": "ROLL_IN" if each.target == wallet else "ROLL_OUT",
        "transFrom": _place(each.source),
        "transTo": _place(each.target),
    }
    for name, end in (("fromSymbol", each.source), ("toSymbol", each.target)):
        if symbol_in(call, end):
            said[name] = symbol_in(call, end)
    return said


def _place(wallet: str) -> str:
    """What this list calls a wallet."""
    return {SPOT: "SPOT", MARGIN: "CROSS_MARGIN", UM: "FUTURE", CM: "COIN_FUTURE"}.get(
        wallet if wallet in (SPOT, MARGIN) else word_of(wallet), "ISOLATED_MARGIN"
    )


async def isolated_transfers(call: Call) -> dict[str, Any]:
    """Between a pair's isolated wallet and spot."""
    wallet = isolated_wallet(pair_of(call).symbol)
    names = {SPOT: "SPOT", wallet: "ISOLATED_MARGIN"}
    asset = asset_named(call)
    source, target = (call.params.choice(name, PLACES) for name in ("transFrom", "transTo"))
    rows = [
        {
            "amount": eight(each.amount_minor),
            "asset": each.asset,
            "status": CONFIRMED,
            "timestamp": each.time_ms,
            "txId": each.tran_id,
            "transFrom": names[each.source],
            "transTo": names[each.target],
        }
        for each in await _past(call)
        if {each.source, each.target} == set(names)
        and asset in (None, each.asset)
        and source in ("", names[each.source])
        and target in ("", names[each.target])
    ]
    return page(call, rows)


async def futures_transfers(call: Call) -> dict[str, Any]:
    """Between spot and perpetuals, with the numbers of their types."""
    numbers = {kind_of_words(words): number for number, words in FUTURES_TYPES.items()}
    asset = asset_named(call)
    rows = [
        {
            "asset": each.asset,
            "tranId": each.tran_id,
            "amount": eight(each.amount_minor),
            "type": str(numbers[kind_of(each.source, each.target)]),
            "timestamp": each.time_ms,
            "status": CONFIRMED,
        }
        for each in await _past(call)
        if asset in (None, each.asset) and kind_of(each.source, each.target) in numbers
    ]
    return page(call, rows)


async def _past(call: Call) -> list[Moved]:
    """The account's transfers within the span asked for, oldest first.

    Of more than the history answers at once it is the newest, or with `startTime` the oldest.
    """
    reasons = (PostingReason.TRANSFER.value,)
    rows = await call.doors.history.ledger(call.account.id, reasons=reasons, part=span(call))
    return moved(rows)


def moved(rows: list[LedgerRow]) -> list[Moved]:
    """Transfers from their postings: what left a wallet and came to another in one command."""
    left: dict[int, LedgerRow] = {}
    found = []
    for row in rows:
        other = left.pop(row.seq, None)
        if other is None:
            left[row.seq] = row
            continue
        source, target = (other, row) if row.change_minor > 0 else (row, other)
        found.append(
            Moved(
                row.seq, row.time_ms, source.wallet, target.wallet, row.asset, target.change_minor
            )
        )
    return found


ROUTES = (
    paying("asset/transfer", transfer, 900),
    paying("margin/transfer", margin_transfer, 600),
    paying("margin/isolated/transfer", isolated_transfer, 600),
    paying("futures/transfer", futures_transfer, 600),
    reading("asset/transfer", transfers, 1),
    reading("margin/transfer", margin_transfers, 1),
    reading("margin/isolated/transfer", isolated_transfers, 1),
    reading("futures/transfer", futures_transfers, 10),
)
