"""Which wallet a request means: spot, cross margin, a pair's isolated margin, or perpetuals."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.accounts.refusals import BAD_PAIR, NO_ISOLATED_ACCOUNT
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_COMBINATION, BAD_VALUE, refused
from exchange.gateway.binance.symbols import name_of
from matching.instrument import Instrument
from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account, isolated_wallet

MAIN, UM, CM, PAIR = "MAIN", "UMFUTURE", "CMFUTURE", "ISOLATEDMARGIN"
_WORDS: Final = frozenset({MAIN, "MARGIN", UM, CM, PAIR})
# Beside spot the word is written in two.
_SPELT: Final = {"MAIN_ISOLATED_MARGIN": (MAIN, PAIR), "ISOLATED_MARGIN_MAIN": (PAIR, MAIN)}


def words_of(kind: str) -> tuple[str, str]:
    """From where and to where a type of transfer leads; -1130 for another."""
    spelt = _SPELT.get(kind)
    if spelt is not None:
        return spelt
    source, _, target = kind.partition("_")
    if source not in _WORDS or target not in _WORDS or (source == target and source != PAIR):
        raise refused(BAD_VALUE, "type")
    return source, target


def kind_of(source: str, target: str) -> str:
    """The type of a transfer between two wallets."""
    words = (word_of(source), word_of(target))
    for kind, spelt in _SPELT.items():
        if words == spelt:
            return kind
    return "_".join(words)


def word_of(wallet: str) -> str:
    """What types of transfers call a wallet."""
    if wallet.startswith(ISOLATED):
        return PAIR
    return {SPOT: MAIN, MARGIN: "MARGIN", PERP: UM}.get(wallet, CM)


def wallet_of(call: Call, word: str, asset: str, symbol: str) -> str:
    """The wallet a word of a transfer's type means.

    `symbol` names the parameter that says which pair's.
    """
    if word == PAIR:
        return isolated_wallet(pair_of(call, symbol).symbol)
    return {MAIN: SPOT, "MARGIN": MARGIN, UM: PERP}.get(word, f"{PERP}:{asset}")


def margin_wallet(call: Call, symbol: str = "isolatedSymbol") -> str:
    """A pair's isolated wallet where the pair is named, else cross margin's."""
    return isolated_wallet(pair_of(call, symbol).symbol) if call.params.has(symbol) else MARGIN


def chosen_wallet(call: Call) -> str:
    """By `isIsolated` and `symbol`: cross where neither says otherwise."""
    if not call.params.flag("isIsolated"):
        return MARGIN
    return isolated_wallet(pair_of(call, "symbol").symbol)


def pair_of(call: Call, name: str = "symbol") -> Instrument:
    """A spot pair with isolated margin; -1102, -1121 or -3028."""
    instrument = call.instrument(name)
    if not call.doors.engine.risk.spots[instrument.symbol].isolated:
        raise refused(BAD_PAIR)
    return instrument


def exists(account: Account, wallet: str) -> bool:
    """Whether an isolated wallet was ever used: a transfer into it creates it."""
    return wallet in wallets_of(account)


def need(account: Account, wallet: str) -> None:
    """-11001 for an isolated wallet that nothing was ever transferred into."""
    if wallet.startswith(ISOLATED) and not exists(account, wallet):
        raise refused(NO_ISOLATED_ACCOUNT)


def wallets_of(account: Account) -> list[str]:
    """The account's isolated wallets, in a fixed order."""
    held = {wallet for wallet, _ in account.pockets} | {wallet for wallet, _ in account.loans}
    return sorted(wallet for wallet in held if wallet.startswith(ISOLATED))


def symbol_in(call: Call, wallet: str) -> str:
    """The name of an isolated wallet's pair; empty for another wallet."""
    if not wallet.startswith(ISOLATED):
        return ""
    return name_of(call.doors.board.instruments[wallet.removeprefix(ISOLATED)])


def refuse_same(source: str, target: str) -> None:
    """-1128 for a transfer that leads nowhere."""
    if source == target:
        raise refused(BAD_COMBINATION)
