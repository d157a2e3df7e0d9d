"""Definitions as the files that agents' programs read: put into a worktree, kept as they should be, taken out again."""

from collab_tui.sessions.syncing.syncing import SyncError, clear, keep_out, sync

__all__ = ["SyncError", "clear", "keep_out", "sync"]
