"""collab-tui: the terminal board for AI agents that work on one project at the same time."""

__version__ = "0.1.0"
