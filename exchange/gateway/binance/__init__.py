"""The Binance dialect: its names, codes and shapes exist in this package and nowhere else."""
