"""Ports that are one product's alone: there the paths of its streams need no prefix."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.config import Binance
from exchange.gateway.binance.symbols import Product


def product_ports(config: Binance) -> dict[Product, int]:
    """The ports that were asked for, by product."""
    wanted: Mapping[Product, int | None] = {
        "spot": config.spot_port,
        "um": config.um_port,
        "cm": config.cm_port,
    }
    return {product: port for product, port in wanted.items() if port is not None}
