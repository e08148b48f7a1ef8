"""The sample clients, which know the exchange by its wire alone."""
