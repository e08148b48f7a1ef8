"""Public market data of the Binance door: instruments, books, trades, candles, prices, funding."""
