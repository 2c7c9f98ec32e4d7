"""Measurements, as plain commands: ``python -m benchmarks.<name>``."""
