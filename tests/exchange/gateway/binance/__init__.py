"""Tests of the Binance door."""
