"""Ratios of one run: ours against a reference measured beside it. `python -m tests.benchmarks` prints the table."""
