"""Ears and voice: turns, sentences and the engines behind them."""
