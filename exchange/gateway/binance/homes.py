"""Ports that are one product's alone: there the paths of its streams need no prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from exchange.config import Binance
from exchange.gateway.binance.symbols import Product

# By number; filled once the ports are open, for 0 lets the system choose.
HOMES: Final = web.AppKey("homes", dict[int, Product])


def product_ports(config: Binance) -> dict[Product, int]:
    """The ports that were asked for, by product."""
    wanted: Mapping[Product, int | None] = {
        "spot": config.spot_port,
        "um": config.um_port,
        "cm": config.cm_port,
    }
    return {product: port for product, port in wanted.items() if port is not None}


def home_of(request: web.Request) -> Product | None:
    """The product whose port a request came by; None on the main port, which serves all."""
    assert request.transport is not None, "a request that is handled has a connection"
    address = request.transport.get_extra_info("sockname")
    return request.app[HOMES].get(address[1]) if isinstance(address, tuple) else None
