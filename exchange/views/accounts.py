"""Accounts as their owners see them: the engine's state and the risk engine's reports, told.

Everything here reads; nothing is changed. It answers what the publisher and the doors ask about
an account beyond its events (`exchange.publisher.Desk`).
"""

from __future__ import annotations

from typing import Any

from exchange.engine import Engine
from exchange.events import PositionChanged
from exchange.views.board import Board
from exchange.views.orders import POSITION_SIDE_NAMES
from exchange.views.ranks import Ranks
from exchange.views.texts import interest_text, rate_text, value_text
from exchange.wire import (
    AccountSay,
    BalanceSay,
    CollateralSay,
    FeeTierSay,
    LoanSay,
    LoanTierSay,
    MarginSay,
    PositionSay,
)
from exchange.wire.stream import ENV, GaugeSay
from matching.instrument import amount_text
from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account, Loan, leg_of, side_of
from risk.contract import Contract
from risk.dust import max_sellable_minor
from risk.fees import rates_e12
from risk.loan_tiers import levels, pair_tiers, present_tier
from risk.margin import initial_e16
from risk.margin_report import margin_report
from risk.money import E12, MINOR_IN_E18, ceil_div
from risk.parameters import FeeKind, IsolatedTier
from risk.perp_report import collateral_report, perp_report, position_report
from risk.perp_worth import position_worth, unrealised_e16
from risk.position import Position
from risk.scopes import scope_leg, scope_legs
from risk.state import RiskState
from risk.tiers import tier_of
from risk.volumes import KINDS

NO_DEBT = "999"  # The margin level of a scope that owes nothing (M3).
_ONE = "1"  # A perpetual scope is liquidated where its balance meets its maintenance (P11).


class Accounts:
    """The desk: reads the engine's accounts, at the prices the board last saw."""

    def __init__(self, engine: Engine, board: Board) -> None:
        self._engine = engine
        self._board = board
        self._ranks = Ranks(engine.risk)

    def is_user(self, account_id: int) -> bool:
        """Whether the account is a customer's; agents and the house are not."""
        account = self._engine.risk.accounts.get(account_id)
        return account is not None and account.kind == "user"

    def last_n(self, account_id: int) -> int:
        """The number of the account's last private event; 0 before the first."""
        account = self._engine.risk.accounts.get(account_id)
        return account.event_n if account else 0

    def hourly_rate_e12(self, asset: str) -> int:
        """What an hour of borrowing costs: as last fixed, else as the venue began with."""
        fixed = self._board.rates_e12.get(asset)
        if fixed is not None:
            return fixed
        return self._engine.risk.rates_e12[asset]

    def open_lots(self, symbol: str) -> int:
        """Open interest of a perpetual."""
        return self._board.marks.open_lots(symbol)

    def account(self, account_id: int) -> AccountSay:
        """Everything an account is and owns; the account exists."""
        account = self._engine.risk.accounts[account_id]
        return AccountSay(
            account_id=account.id,
            env=ENV,
            label=account.label,
            epoch=account.epoch,
            time=self._engine.time_ms,
            balances=self.balances(account),
            loans=[self.loan(loan) for _, loan in sorted(account.loans.items())],
            positions=[self.held(account, leg) for leg in sorted(account.positions)],
            margins=[
                self.margin(account_id, scope) for scope in scopes(self._engine.risk, account)
            ],
            settings=settings_of(account),
            last_seq=account.event_n,
            fees={kind: self.fees(account, kind) for kind in KINDS},
        )

    def fees(self, account: Account, kind: FeeKind) -> FeeTierSay:
        """The account's tier on the present day, and the volume that led to it."""
        risk = self._engine.risk
        rates = rates_e12(risk, account, kind)
        return FeeTierSay(
            tier=tier_of(risk, account, kind),
            volume=amount_text(account.volumes.before(kind, risk.fee_day.day)),
            maker=rate_text(rates.maker_e12),
            taker=rate_text(rates.taker_e12),
        )

    def balances(self, account: Account) -> list[BalanceSay]:
        """What is in each wallet, and what is owed there; empty pockets are left out."""
        places = {key for key, pocket in account.pockets.items() if pocket.minor}
        return [self._balance(account, *place) for place in sorted(places | account.loans.keys())]

    def _balance(self, account: Account, wallet: str, asset: str) -> BalanceSay:
        said = _balance(account, wallet, asset)
        risk = self._engine.risk
        price_e8 = risk.price_e8(asset)
        if price_e8 is not None:
            said.value = value_text(account.minor(wallet, asset) * price_e8)
        instrument = risk.instruments.get(f"{asset}-{risk.venue.quote}")
        if wallet == SPOT and instrument is not None:
            free = account.free(wallet, asset)
            sellable = max_sellable_minor(instrument, free, risk.price_e8(asset))
            said.max_sellable = amount_text(sellable)
        return said

    def loan(self, loan: Loan) -> LoanSay:
        """A loan as it stands."""
        return LoanSay(
            wallet=loan.wallet,
            asset=loan.asset,
            principal=amount_text(loan.principal_minor),
            interest=interest_text(loan.interest_e18),
            hourly_rate=rate_text(self.hourly_rate_e12(loan.asset)),
            loan_id=loan.loan_id,
        )

    # -- positions -----------------------------------------------------------------------------

    def held(self, account: Account, leg: str) -> PositionSay:
        """A position the account holds, with the prices at which it would end."""
        risk = self._engine.risk
        held = account.positions[leg]
        contract = risk.contracts[held.symbol]
        report = position_report(risk, account, leg)
        isolated = account.is_isolated(held.symbol)
        bankrupt = report.bankruptcy_ticks

        def told(value_e16: int) -> str:
            return _money(contract, value_e16, report.mark_e8)

        return PositionSay(
            symbol=held.symbol,
            side=_side(held.lots),
            qty=contract.instrument.qty_text(abs(held.lots)),
            entry_price=amount_text(report.entry_e8),
            mark_price=amount_text(report.mark_e8),
            notional=told(report.notional_e16),
            unrealised=told(report.unrealised_e16),
            margin_mode="isolated" if isolated else "cross",
            leverage=account.setting(held.symbol).leverage,
            margin=amount_text(report.margin_minor) if isolated else told(report.initial_e16),
            maintenance=told(report.maintenance_e16),
            liquidation_price=_price(report.liquidation_e8),
            bankruptcy_price=contract.instrument.price_text(bankrupt) if bankrupt else None,
            position_side=POSITION_SIDE_NAMES[side_of(leg)],
            settle=contract.settle,
            roe=_roe(contract, held, account.setting(held.symbol).leverage, report.mark_e8),
            adl_rank=self._ranks.rank(account, leg),
        )

    def position(self, event: PositionChanged) -> PositionSay:
        """The position an event tells of, at the present mark.

        Where the account has changed it again since, it is told without a liquidation price.
        """
        account = self._engine.risk.accounts[event.account_id]
        leg = leg_of(event.symbol, event.position_side)
        held = account.positions.get(leg)
        if held is not None and (held.lots, held.cost_minor) == (event.lots, event.cost_minor):
            return self.held(account, leg)
        contract = self._engine.risk.contracts[event.symbol]
        mark_e8 = self._engine.risk.mark_e8(event.symbol)
        assert mark_e8 is not None, "what was held was traded, and nothing trades without a mark"
        notional = contract.notional_e16(event.lots, mark_e8)
        maintenance = ceil_div(contract.maintenance_e28(event.lots, mark_e8), E12)
        profit = contract.unrealised_e16(event.lots, event.cost_minor, mark_e8)
        initial = _money(contract, initial_e16(notional, event.leverage), mark_e8)
        told = Position(leg, event.lots, event.cost_minor)
        return PositionSay(
            symbol=event.symbol,
            side=_side(event.lots),
            qty=contract.instrument.qty_text(abs(event.lots)),
            entry_price=amount_text(contract.entry_e8(event.lots, event.cost_minor)),
            mark_price=amount_text(mark_e8),
            notional=_money(contract, notional, mark_e8),
            unrealised=_money(contract, profit, mark_e8),
            margin_mode="isolated" if event.isolated else "cross",
            leverage=event.leverage,
            margin=amount_text(event.margin_minor) if event.isolated else initial,
            maintenance=_money(contract, maintenance, mark_e8),
            liquidation_price=None,
            bankruptcy_price=None,
            position_side=POSITION_SIDE_NAMES[event.position_side],
            settle=contract.settle,
            roe=_roe(contract, told, event.leverage, mark_e8),
        )

    # -- margin scopes -------------------------------------------------------------------------

    def gauges(self, account_id: int) -> list[GaugeSay]:
        """The account's scopes as they stand, each with the unrealised profit in it."""
        account = self._engine.risk.accounts[account_id]
        return [self._gauge(account, scope) for scope in scopes(self._engine.risk, account)]

    def margin(self, account_id: int, scope: str) -> MarginSay:
        """One scope as it stands: `margin`, `isolated:<SYMBOL>`, `perp` or `perp/<SYMBOL>`."""
        account = self._engine.risk.accounts[account_id]
        if scope_leg(scope):
            return self._isolated_position(account, scope)
        if scope.startswith(PERP):
            return self._perp(account, scope)
        if scope == MARGIN or scope.startswith(ISOLATED):
            return self._spot_margin(account, scope)
        return _nothing(account, scope)  # Such as "spot", which has no margin.

    def _spot_margin(self, account: Account, scope: str) -> MarginSay:
        risk = self._engine.risk
        report = margin_report(risk, account, scope)
        collateral = report.collateral_level_e12
        return MarginSay(
            wallet=scope,
            assets=value_text(report.assets_e16),
            debt=value_text(report.debt_e16),
            level=NO_DEBT if report.level_e12 is None else rate_text(report.level_e12),
            collateral_level=None if collateral is None else rate_text(collateral),
            call_level=rate_text(report.call_e12),
            liquidation_level=rate_text(report.liquidation_e12),
            leverage=report.leverage,
            liquidation_price=_price(report.liquidation_price_e8),
            state=_state(account, scope),
            liquidation_prices=_amounts(report.liquidation_prices_e8),
            call_prices=_amounts(report.call_prices_e8),
            initial_level=rate_text(levels(risk, account, scope).initial_e12),
            loan_tier=None if scope == MARGIN else _tier(present_tier(risk, account, scope)),
            next_loan_tier=None if scope == MARGIN else _next_tier(risk, account, scope),
        )

    def _perp(self, account: Account, wallet: str) -> MarginSay:
        risk = self._engine.risk
        asset = risk.wallet_asset(wallet)
        report = perp_report(risk, account, asset)
        return MarginSay(
            wallet=wallet,
            assets=value_text(report.margin_balance_e16),
            debt=value_text(report.maintenance_e16),
            level=_level(report.margin_balance_e16, report.maintenance_e16),
            collateral_level=None,
            call_level=None,
            liquidation_level=_ONE,
            leverage=None,
            available=amount_text(report.available_minor),
            withdrawable=amount_text(report.withdrawable_minor),
            state=_state(account, wallet),
            settle=asset,
            balance=amount_text(report.margin_balance_e16 // risk.wallet_factor(wallet)),
            collateral=[
                CollateralSay(
                    asset=each.asset,
                    total=amount_text(each.minor),
                    price=amount_text(each.price_e8),
                    ratio=rate_text(each.ratio_e12),
                    value=value_text(each.value_e16),
                    withdrawable=amount_text(each.withdrawable_minor),
                )
                for each in collateral_report(risk, account, wallet)
            ],
        )

    def _isolated_position(self, account: Account, scope: str) -> MarginSay:
        leg = scope_leg(scope)
        if leg not in account.positions:
            return _nothing(account, scope)
        risk = self._engine.risk
        contract = risk.contracts[account.positions[leg].symbol]
        mark_e8 = risk.mark_e8(contract.symbol)
        assert mark_e8 is not None, "what is held was traded, and nothing trades without a mark"
        balance_e16, maintenance_e28 = position_worth(risk, account, leg)
        maintenance = ceil_div(maintenance_e28, E12)
        return MarginSay(
            wallet=scope,
            assets=value_text(balance_e16),
            debt=value_text(maintenance),
            level=_level(balance_e16, maintenance),
            collateral_level=None,
            call_level=None,
            liquidation_level=_ONE,
            leverage=account.setting(account.positions[leg].symbol).leverage,
            state=_state(account, scope),
            settle=contract.settle,
            balance=_money(contract, balance_e16, mark_e8),
        )

    def _gauge(self, account: Account, scope: str) -> GaugeSay:
        margin = self.margin(account.id, scope)
        fields = {name: getattr(margin, name) for name in MarginSay.__struct_fields__}
        return GaugeSay(**fields, unrealised=value_text(self._unrealised_e16(account, scope)))

    def _unrealised_e16(self, account: Account, scope: str) -> int:
        risk = self._engine.risk
        if not scope.startswith(PERP):
            return 0
        legs = scope_legs(risk, account, scope)
        return sum(unrealised_e16(risk, account.positions[leg]) for leg in legs)


def scopes(risk: RiskState, account: Account) -> list[str]:
    """The margin scopes that something is in, in a fixed order."""
    wallets = {wallet for (wallet, _), pocket in account.pockets.items() if pocket.minor}
    wallets |= {wallet for wallet, _ in account.loans}
    wallets |= {risk.pocket_wallet(account, leg) for leg in account.positions}
    return sorted(wallet for wallet in wallets if wallet.startswith((MARGIN, ISOLATED, PERP)))


def settings_of(account: Account) -> dict[str, Any]:
    """What the account chose: for spot margin, and for each perpetual it chose something for."""
    return {
        "margin_leverage": account.margin_leverage,
        "position_mode": "hedge" if account.hedge else "one_way",
        "symbols": {
            symbol: {
                "leverage": setting.leverage,
                "margin_mode": "isolated" if setting.isolated else "cross",
            }
            for symbol, setting in sorted(account.settings.items())
        },
        "fee_discount": account.fee_discount,
        "multi_asset": account.multi_asset,
    }


def _balance(account: Account, wallet: str, asset: str) -> BalanceSay:
    pocket = account.pockets.get((wallet, asset))
    total = pocket.minor if pocket else 0
    locked = pocket.locked if pocket else 0
    loan = account.loans.get((wallet, asset))
    owed_e18 = loan.owed_e18 if loan else 0
    return BalanceSay(
        wallet=wallet,
        asset=asset,
        total=amount_text(total),
        free=amount_text(total - locked),
        locked=amount_text(locked),
        borrowed=amount_text(loan.principal_minor if loan else 0),
        interest=interest_text(loan.interest_e18 if loan else 0),
        net=interest_text(total * MINOR_IN_E18 - owed_e18),
    )


def _roe(contract: Contract, held: Position, leverage: int, mark_e8: int) -> str | None:
    """Profit by the margin that the position took at its entry, cost / leverage (P4)."""
    taken = abs(held.cost_minor) * contract.factor(mark_e8)
    if not taken:
        return None
    profit = contract.unrealised_e16(held.lots, held.cost_minor, mark_e8)
    return rate_text(profit * leverage * E12 // taken)


def _tier(tier: IsolatedTier) -> LoanTierSay:
    return LoanTierSay(
        leverage=tier.leverage,
        base_limit=amount_text(tier.base_limit_minor),
        quote_limit=amount_text(tier.quote_limit_minor),
        initial_level=rate_text(tier.initial_e12),
        call_level=rate_text(tier.call_e12),
        liquidation_level=rate_text(tier.liquidation_e12),
    )


def _next_tier(risk: RiskState, account: Account, wallet: str) -> LoanTierSay | None:
    """The tier that larger loans would come to; None from the last."""
    tiers = pair_tiers(risk, wallet)
    place = tiers.index(present_tier(risk, account, wallet)) + 1
    return _tier(tiers[place]) if place < len(tiers) else None


def _nothing(account: Account, scope: str) -> MarginSay:
    """A scope without assets and debt."""
    state = _state(account, scope)
    return MarginSay(scope, "0", "0", NO_DEBT, None, None, _ONE, None, state=state)


def _state(account: Account, scope: str) -> str:
    if scope in account.liquidating:
        return "liquidating"
    return "called" if scope in account.called else "normal"


def _level(balance_e16: int, maintenance: int) -> str:
    return rate_text(balance_e16 * E12 // maintenance) if maintenance else NO_DEBT


def _money(contract: Contract, value_e16: int, mark_e8: int) -> str:
    """A value at the mark in the asset the contract settles in; coins are rounded down."""
    if contract.inverse:
        return amount_text(contract.floor_minor(value_e16, mark_e8))
    return value_text(value_e16)


def _side(lots: int) -> str:
    if not lots:
        return "flat"
    return "long" if lots > 0 else "short"


def _amounts(prices_e8: dict[str, int]) -> dict[str, str]:
    return {asset: amount_text(price_e8) for asset, price_e8 in prices_e8.items()}


def _price(price_e8: int | None) -> str | None:
    return None if price_e8 is None else amount_text(price_e8)
