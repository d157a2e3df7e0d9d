"""Tests of the board through its keys: what is pressed, then what stands in the registry and on the screen."""
