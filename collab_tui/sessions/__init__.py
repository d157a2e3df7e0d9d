"""Agents' programs as sessions: started in a worktree, prompted, awaited, answered, stopped."""
