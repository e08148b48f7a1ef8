"""Tests of accounts, wallets and loans as Binance tells them."""
