"""The WebSocket API of the Binance door: the REST endpoints as methods, on one connection."""
