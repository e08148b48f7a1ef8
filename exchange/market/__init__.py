"""The living market: seeded prices and the house agents that trade on them."""
