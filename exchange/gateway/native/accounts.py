"""Accounts: opened, reset, described; their keys, fills, postings and profit."""

from __future__ import annotations

import asyncio

from exchange.commands import OpenAccount, ResetAccount
from exchange.gateway.auth import kind_of
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import account_id_of, account_of, obeyed
from exchange.gateway.native.asks import (
    FillsAsk,
    KeyNameAsk,
    LedgerAsk,
    NothingAsk,
    ResetAsk,
    RevokedSay,
)
from exchange.gateway.native.countdowns import left_ms
from exchange.gateway.native.orders import known_instrument
from exchange.gateway.native.profit import pnl_say
from exchange.gateway.native.remembered import fill_row_say, ledger_row_say
from exchange.storage.keys import KEYS_PER_ACCOUNT_MAX, ApiKey, KeyRefused
from exchange.storage.queries import Part
from exchange.wire import (
    AccountAsk,
    AccountOpenedSay,
    AccountSay,
    FillSay,
    KeyAsk,
    KeySay,
    LedgerSay,
    PnlSay,
)
from exchange.wire.stream import ENV
from matching.instrument import amount_text
from matching.reasons import Reason
from risk.account import Account
from risk.ledger import PostingReason


async def open_account(doors: Doors, ask: AccountAsk, caller: Caller) -> AccountOpenedSay:
    """A funded account with a key that may do everything."""
    done = await obeyed(doors, OpenAccount(label=ask.label))
    account_id = done.answer.result_id
    key = await asyncio.to_thread(doors.keys.create, account_id, label=ask.label)
    wallets: dict[str, dict[str, str]] = {}
    for (wallet, asset), pocket in doors.engine.risk.accounts[account_id].pockets.items():
        if pocket.minor:
            wallets.setdefault(wallet, {})[asset] = amount_text(pocket.minor)
    return AccountOpenedSay(
        account_id=account_id, api_key=key.key, api_secret=key.secret, wallets=wallets, env=ENV
    )


async def reset(doors: Doors, ask: ResetAsk, caller: Caller) -> AccountSay:
    """Start over; keys and history stay."""
    account_id = account_id_of(caller)
    await obeyed(doors, ResetAccount(account_id=account_id, client_id=ask.client_id))
    return _described(doors, account_id)


async def account(doors: Doors, ask: NothingAsk, caller: Caller) -> AccountSay:
    """Everything an account is."""
    return _described(doors, account_of(doors, caller).id)


def _described(doors: Doors, account_id: int) -> AccountSay:
    said = doors.desk.account(account_id)
    said.settings["cancel_all_after_ms"] = left_ms(doors, account_id)
    return said


# -- keys --------------------------------------------------------------------------------------


async def list_keys(doors: Doors, ask: NothingAsk, caller: Caller) -> list[KeySay]:
    """The keys that work, without their secrets."""
    found = await asyncio.to_thread(doors.keys.list, account_id_of(caller))
    return [key_say(key) for key in found if not key.revoked]


async def create_key(doors: Doors, ask: KeyAsk, caller: Caller) -> KeySay:
    """Another key of the account; it can do no more than the one that asks."""
    account_id = account_id_of(caller)
    beyond = sorted(set(ask.permissions) - caller.permissions)
    if beyond:
        raise refusal(
            Reason.PERMISSION_DENIED,
            "a key cannot give what it has not",
            field="permissions",
            given=beyond,
        )
    try:
        made = await asyncio.to_thread(
            doors.keys.create,
            account_id,
            permissions=ask.permissions,
            public_key=ask.public_key,
            ips=ask.ips,
            expires_ms=ask.expires_ms,
            label=ask.label,
        )
    except KeyRefused as error:
        raise await _key_refused(doors, account_id, error) from None
    return key_say(made, with_secret=True)


async def _key_refused(doors: Doors, account_id: int, error: KeyRefused) -> ApiError:
    found = await asyncio.to_thread(doors.keys.list, account_id)
    if sum(not key.revoked for key in found) >= KEYS_PER_ACCOUNT_MAX:
        return refusal(Reason.KEY_LIMIT, max=KEYS_PER_ACCOUNT_MAX)
    return refusal(Reason.FIELD_OUT_OF_RANGE, str(error))


async def revoke_key(doors: Doors, ask: KeyNameAsk, caller: Caller) -> RevokedSay:
    """End a key of the account, the one that asks included."""
    found = await asyncio.to_thread(doors.keys.get, ask.api_key)
    if found is None or found.account_id != account_id_of(caller):
        raise ApiError(Reason.NOT_FOUND.name, "the account has no such key that works", {}, 404)
    revoked = await asyncio.to_thread(doors.keys.revoke, ask.api_key)
    return RevokedSay(api_key=ask.api_key, revoked=revoked)


def key_say(key: ApiKey, *, with_secret: bool = False) -> KeySay:
    """A key; its secret only where it was just made."""
    return KeySay(
        api_key=key.key,
        account_id=key.account_id,
        permissions=sorted(key.permissions),
        label=key.label,
        created_ms=key.created_ms,
        expires_ms=key.expires_ms,
        ips=list(key.ips),
        kind=kind_of(key),
        api_secret=key.secret if with_secret and key.secret else None,
    )


# -- what happened -----------------------------------------------------------------------------


async def fills(doors: Doors, ask: FillsAsk, caller: Caller) -> list[FillSay]:
    """The account's fills, newest first."""
    instruments = doors.board.instruments
    if ask.symbol is not None:
        known_instrument(ask.symbol, instruments)
    elif ask.before_id is not None:
        raise refusal(
            Reason.MISSING_FIELD, "trade ids count per symbol, so name one", field="symbol"
        )
    rows = await doors.history.fills(
        account_id_of(caller),
        symbol=ask.symbol,
        part=Part(before_id=ask.before_id, limit=ask.limit),
    )
    return [fill_row_say(row, instruments) for row in reversed(rows)]


async def ledger(doors: Doors, ask: LedgerAsk, caller: Caller) -> list[LedgerSay]:
    """The account's postings, newest first."""
    rows = await doors.history.ledger(
        account_id_of(caller),
        wallet=ask.wallet,
        asset=ask.asset,
        reasons=[ask.reason] if ask.reason else None,
        part=Part(to_ms=ask.end_ms, limit=ask.limit),
    )
    return [ledger_row_say(row, doors.board.instruments) for row in reversed(rows)]


async def pnl(doors: Doors, ask: NothingAsk, caller: Caller) -> PnlSay:
    """Profit and loss of the epoch by its cause."""
    holder = account_of(doors, caller)
    began_ms = await _epoch_ms(doors, holder)
    from_ms = None if began_ms is None else began_ms + 1
    rows = await doors.history.pnl(holder.id, from_ms=from_ms)
    # What the epoch began with was posted at its very moment, with what ended the one before.
    given = () if began_ms is None else doors.engine.venue.deposits
    return pnl_say(doors.engine.risk, holder, rows, given)


async def _epoch_ms(doors: Doors, holder: Account) -> int | None:
    """When the account was last reset; None if it never was."""
    if holder.epoch == 1:
        return None
    rows = await doors.history.ledger(
        holder.id, reasons=[PostingReason.RESET.value], part=Part(limit=1)
    )
    return rows[-1].time_ms if rows else None
