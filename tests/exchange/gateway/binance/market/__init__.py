"""Tests of the Binance door's public market data."""
