"""Clients written for Binance, as published, against this exchange."""
