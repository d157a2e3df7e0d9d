"""The headless host of what acts by itself: one per registry and machine."""
