"""Declarative, GitOps-style reconciler for voice and chat assistants."""

__version__ = "0.1.0"
