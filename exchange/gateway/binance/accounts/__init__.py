"""Accounts as Binance tells them: balances, wallets, transfers and spot margin loans."""
