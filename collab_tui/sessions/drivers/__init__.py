"""How to talk to an agent's program, one file for each way; `driver` says what they have in common."""
