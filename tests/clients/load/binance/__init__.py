"""Tests of the load by way of the Binance door."""
