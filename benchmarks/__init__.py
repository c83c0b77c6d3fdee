"""Ours beside its peers: run each by ``python -m benchmarks.NAME``."""
