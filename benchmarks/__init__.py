"""What reconciler costs on this machine, as ratios within one run: `python -m benchmarks`."""
