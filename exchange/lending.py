"""How the lending pools of a venue are chosen: what they hold, and rates that rise with use."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from matching.instrument import minor
from risk.money import E12
from risk.parameters import AssetParameters, FirstCharge, RateCurve, Venue


class Lending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When loans are charged interest, and on what (MECHANICS M7)."""

    first_charge: FirstCharge = "borrow"  # At once, or at the next top of the hour.
    compound: bool = False  # Interest that is owed bears interest.


class Pool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lending pool of one asset, where it is not the default venue's; amounts in the asset.

    `base`, `slope` and `steep` are percents an hour, `kink` is the percent of the pool that is
    lent where the steep part begins; without them the rate is the asset's, whatever is lent.
    """

    capital: str = ""
    limit: str = ""  # Of one account; without it the share of the capital that the default has.
    base: str = ""
    kink: str = ""
    slope: str = ""
    steep: str = ""


def with_lending(venue: Venue, lending: Lending, pools: Mapping[str, Pool]) -> Venue:
    """The venue with these choices; ValueError says which of them cannot be used."""
    strangers = sorted(pools.keys() - {each.asset for each in venue.assets})
    if strangers:
        raise ValueError(f"no such asset: {', '.join(strangers)} - at `$.pools`")
    assets = tuple(
        _with_pool(each, pools[each.asset]) if each.asset in pools else each
        for each in venue.assets
    )
    return msgspec.structs.replace(
        venue, assets=assets, first_charge=lending.first_charge, compound=lending.compound
    )


def _with_pool(asset: AssetParameters, pool: Pool) -> AssetParameters:
    capital_minor, limit_minor = asset.pool_capital_minor, asset.borrow_limit_minor
    if pool.capital:
        capital_minor = _number(asset, "capital", pool.capital, 8)
        limit_minor = limit_minor * capital_minor // asset.pool_capital_minor
    if pool.limit:
        limit_minor = _number(asset, "limit", pool.limit, 8)
    return msgspec.structs.replace(
        asset,
        pool_capital_minor=capital_minor,
        borrow_limit_minor=limit_minor,
        curve=_curve(asset, pool),
    )


def _curve(asset: AssetParameters, pool: Pool) -> RateCurve | None:
    told = {"base": pool.base, "kink": pool.kink, "slope": pool.slope, "steep": pool.steep}
    if not any(told.values()):
        return None
    rates = {name: _number(asset, name, text, 12) // 100 for name, text in told.items()}
    if not 0 < rates["kink"] < E12:
        raise ValueError(f"a kink lies between 0 and 100 - at `$.pools.{asset.asset}.kink`")
    return RateCurve(rates["base"], rates["kink"], rates["slope"], rates["steep"])


def _number(asset: AssetParameters, name: str, text: str, places: int) -> int:
    """Decimal text as an integer of 10^-places; ValueError names the key."""
    number = minor(text, places)
    if not isinstance(number, int):
        raise ValueError(f"a decimal number is needed - at `$.pools.{asset.asset}.{name}`")
    return number
