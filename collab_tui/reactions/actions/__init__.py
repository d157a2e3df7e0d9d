"""What rules can do, one file for each."""
