"""Tests mirror collab_tui/. Hypothesis asserts no durations: how fast a machine is proves nothing."""

from hypothesis import HealthCheck, settings

settings.register_profile("collab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("collab")
