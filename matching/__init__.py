"""The book: the words of a market, and price-time priority over them."""
