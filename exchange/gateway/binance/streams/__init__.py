"""The market streams of the Binance door, and the events of accounts among them."""
