"""The load by way of the exchange's Binance door."""
