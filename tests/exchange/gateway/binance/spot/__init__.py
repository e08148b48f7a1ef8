"""Tests of orders on spot and margin in Binance's dialect."""
