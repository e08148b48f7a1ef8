"""The house agents: ordinary accounts that quote, trade on a whim, follow trends and arbitrage."""
