"""These tests need what only Unix has: terminals that a program can make."""

import sys

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []
