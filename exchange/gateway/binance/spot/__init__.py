"""Spot and margin as Binance's API serves them."""
