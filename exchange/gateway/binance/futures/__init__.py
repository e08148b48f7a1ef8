"""The signed half of the futures dialect: orders, positions and money of USD-M and COIN-M."""
