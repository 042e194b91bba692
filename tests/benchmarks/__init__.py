"""What reconciler costs on this machine, as ratios within one run: `make bench`."""
