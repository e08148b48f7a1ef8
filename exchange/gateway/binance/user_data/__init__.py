"""What happens on an account, told to its owner in the events of Binance's user data streams."""
