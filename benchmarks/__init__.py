"""Measurements of the client beside its peers, in one run: ``python -m benchmarks``."""
