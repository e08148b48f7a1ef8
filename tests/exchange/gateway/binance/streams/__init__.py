"""Tests of the Binance door's streams."""
