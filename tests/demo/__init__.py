"""The story that `make demo` tells: the real commands against a local sandbox. No part of the installed package."""
