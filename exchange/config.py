"""The configuration: papertape.toml as a frozen record; unknown keys are refused, flags win."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from exchange.filtering import Filters, with_filters
from exchange.lending import Lending, Pool, with_lending
from exchange.venue import QUOTE, default_venue, known_symbols
from risk.parameters import (
    HOUR_MS,
    ContractLeg,
    FeeAsset,
    IndexRule,
    Prices,
    Surplus,
    Venue,
)

__all__ = [
    "Config",
    "ConfigError",
    "admin_key",
    "checked",
    "default_venue",
    "load_config",
    "venue_of",
    "with_flags",
]

AT_FILE: Final = "@"  # A key written @FILE is read from that file.
SPEED_MAX: Final = 1_000_000
ADMIN_KEY_VARIABLE: Final = "PAPERTAPE_ADMIN_KEY"

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]  # 0 lets the system choose.
Count = Annotated[int, msgspec.Meta(ge=1)]
Many = Annotated[int, msgspec.Meta(ge=0)]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message says where and why."""


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the exchange listens, and whom it believes."""

    host: str = "127.0.0.1"
    port: Port = 8080
    fast_port: Port = 8081
    require_admin: bool = False  # Opening an account needs the admin key, on loopback too.
    admin_key: str = ""  # Empty: from the environment, or made at the first start.
    redis: str = ""  # A URL; the public event stream goes there as well.


class Market(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The living market: prices, agents, and what is traded."""

    prices: Prices = "walk"
    tape: str = ""  # The file of `prices = "tape"`.
    agents: bool = True
    agent_step_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 1_000
    symbols: tuple[str, ...] = ()  # Empty: every instrument of the default venue.
    funding_interval_ms: Annotated[int, msgspec.Meta(ge=60_000, le=24 * HOUR_MS)] = 8 * HOUR_MS
    spot_fee: FeeAsset = "received"  # What spot fees are paid in.
    discount_asset: str = "BNB"  # In which they cost less, with `spot_fee = "discount"`.
    index_rule: IndexRule = "weighted_median"  # Or the mean without an outlier.
    contract_leg: ContractLeg = "median"  # What of a contract counts in its mark; or "last".
    # A move of the last price by so much within five minutes leads to an auction of that length;
    breaker_move_bps: Annotated[int, msgspec.Meta(ge=0, lt=10_000)] = 0  # 0: there is no breaker.
    breaker_auction_ms: Annotated[int, msgspec.Meta(ge=0, le=HOUR_MS)] = 0
    history: bool = True  # Candles, trades and funding from before the first moment.
    start_ms: Many = 0  # A new venue's first moment; 0: now, or where its tape begins.


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept on disk, and for how long."""

    data: str = "./papertape-data"
    ephemeral: bool = False  # A data directory of its own, gone when the exchange stops.
    keep_journal: bool = False
    journal_max_mb: Count = 1_024
    journal_max_hours: Count = 24 * 7
    snapshot_every_commands: Count = 1_000_000
    snapshots_kept: Count = 3
    history_days: Count = 30


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one key or one address may ask; 0 lifts a limit."""

    weight_per_minute: Many = 6_000  # Of requests, per address.
    orders_per_10_seconds: Many = 300  # Per account.
    orders_per_day: Many = 1_000_000
    messages_per_second: Many = 50  # Of one WebSocket connection.
    connections_per_address: Many = 300
    accounts_per_minute: Many = 60  # Opened from one address.


class Binance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Binance door, and the limits it tells its clients; 0 lifts a limit."""

    enabled: bool = True
    spot_weight_per_minute: Many = 6_000  # Per address, as the others of weight.
    spot_requests_per_5_minutes: Many = 61_000
    margin_weight_per_minute: Many = 180_000
    futures_weight_per_minute: Many = 2_400
    spot_orders_per_10_seconds: Many = 100  # Per account, as the others of orders.
    spot_orders_per_day: Many = 200_000
    futures_orders_per_10_seconds: Many = 300
    futures_orders_per_minute: Many = 1_200
    spot_messages_per_second: Many = 5  # Of one socket of streams; past it the socket is closed.
    futures_messages_per_second: Many = 10
    disconnect_hours: Annotated[float, msgspec.Meta(ge=0, le=1_000)] = 24.0  # A socket's life.
    conditional_on_order: bool = True  # Futures: stops by /order too, or (-4120) by algoOrder only.
    strict_parameters: bool = False  # Refuse those that nothing reads (-1104), or sent twice.
    spot_port: Port | None = None  # A port of one product alone, whose streams have no prefix.
    um_port: Port | None = None
    cm_port: Port | None = None


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How closely the exchange looks at itself."""

    interval_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 30.0  # Everybody, once in it.
    paranoid: bool = False  # Every invariant behind every command; a broken one ends the exchange.


class Liquidation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of what a liquidated perpetual leaves, and of what nobody can pay."""

    surplus: Surplus = "user"  # Who keeps what is left once everything is closed.
    socialized_loss: bool = False  # Whether what nobody takes may be a loss for all.


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be chosen before the exchange starts."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)] = 1
    speed: float | Literal["max"] = 1.0  # Exchange seconds a wall second, at most.
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] = "papertape"
    server: Server = Server()
    market: Market = Market()
    storage: Storage = Storage()
    limits: Limits = Limits()
    binance: Binance = Binance()
    lending: Lending = Lending()
    pools: dict[str, Pool] = {}  # By asset.
    filters: dict[str, Filters] = {}  # By instrument.
    order_max: dict[str, str] = {}  # By asset: what one order on a pair may move of it.
    liquidation: Liquidation = Liquidation()
    audit: Audit = Audit()


def load_config(path: Path | str | None = None) -> Config:
    """The configuration in a file, or the defaults; ConfigError names the key that is wrong."""
    if path is None:
        return Config()
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return checked(msgspec.toml.decode(text, type=Config))
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"{path}: {_plain(error)}") from error


def with_flags(config: Config, flags: Mapping[str, Any]) -> Config:
    """The configuration with the command line's flags over it; a flag of None was not given.

    A flag is named as its key, "port" or "prices", in whichever section has it.
    """
    document = msgspec.to_builtins(config)
    for name, value in flags.items():
        if value is not None:
            _section_of(document, name)[name] = value
    try:
        return checked(msgspec.convert(document, Config))
    except ValueError as error:
        raise ConfigError(_plain(error)) from error


def checked(config: Config) -> Config:
    """The same configuration, once what no single key can say is known to hold."""
    if config.speed != "max" and not 0 <= config.speed <= SPEED_MAX:
        raise ConfigError(f"speed must be max or between 0 and {SPEED_MAX} - at `$.speed`")
    market = config.market
    if market.prices == "tape" and not market.tape:
        raise ConfigError("prices from a tape need its file - at `$.market.tape`")
    if market.tape and market.prices != "tape":
        raise ConfigError('a tape is only played with prices = "tape" - at `$.market.prices`')
    if f"{market.discount_asset}-{QUOTE}" not in known_symbols():
        raise ConfigError("there is no such asset - at `$.market.discount_asset`")
    if market.funding_interval_ms % 1_000:
        raise ConfigError("whole seconds are needed - at `$.market.funding_interval_ms`")
    strangers = sorted(set(market.symbols) - set(known_symbols()))
    if strangers:
        raise ConfigError(f"no such instrument: {', '.join(strangers)} - at `$.market.symbols`")
    try:
        venue_of(config, start_ms=0)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    _check_ports(config)
    return config


def _check_ports(config: Config) -> None:
    """ConfigError where two ports are one, or there is a port and nothing to serve on it."""
    if 0 < config.server.port == config.server.fast_port:
        raise ConfigError("the two ports must differ - at `$.server.fast_port`")
    taken = {config.server.port, config.server.fast_port} - {0}
    for name in ("spot_port", "um_port", "cm_port"):
        port = getattr(config.binance, name)
        if port is not None and not config.binance.enabled:
            raise ConfigError(f"the dialect is not enabled - at `$.binance.{name}`")
        if port in taken:
            raise ConfigError(f"another port has that number - at `$.binance.{name}`")
        taken |= {port} - {0, None}


def admin_key(config: Config, environment: Mapping[str, str] = os.environ) -> str:
    """The admin key that was chosen: a text, the content of @FILE, the environment's, or ""."""
    chosen = config.server.admin_key or environment.get(ADMIN_KEY_VARIABLE, "")
    if not chosen.startswith(AT_FILE):
        return chosen
    try:
        text = Path(chosen[len(AT_FILE) :]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"the admin key's file: {error.strerror}") from error
    if not text:
        raise ConfigError("the admin key's file is empty")
    return text


def venue_of(config: Config, start_ms: int) -> Venue:
    """The genesis record that a configuration describes, for a first start at `start_ms`."""
    market = config.market
    venue = default_venue(
        config.seed,
        start_ms,
        symbols=market.symbols or None,
        funding_interval_ms=market.funding_interval_ms,
        prices=market.prices,
        spot_fee=market.spot_fee,
        discount_asset=market.discount_asset,
        market={
            "agents": int(market.agents),
            "agent_step_ms": market.agent_step_ms,
            "history": int(market.history),
        },
        name=config.name,
    )
    breaker = {
        "breaker_move_bps": market.breaker_move_bps,
        "breaker_auction_ms": market.breaker_auction_ms,
    }
    venue = msgspec.structs.replace(
        venue,
        instruments=tuple(msgspec.structs.replace(each, **breaker) for each in venue.instruments),
        index_rule=market.index_rule,
        contract_leg=market.contract_leg,
        surplus=config.liquidation.surplus,
        socialized_loss=config.liquidation.socialized_loss,
    )
    venue = with_filters(venue, config.filters, config.order_max)
    return with_lending(venue, config.lending, config.pools)


def _section_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a configuration document that has a key of that name."""
    if name in document and not isinstance(document[name], dict):
        return document
    for section in document.values():
        if isinstance(section, dict) and name in section:
            return section
    raise ConfigError(f"there is no setting named {name}")


def _plain(error: Exception) -> str:
    """What went wrong, in the words of a reader of the file."""
    return str(error).replace("Object contains unknown field", "there is no setting named")
