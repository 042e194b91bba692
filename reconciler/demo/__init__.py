"""The story that `reconciler demo` tells: the real commands, against a sandbox on this machine."""
