"""Programs of others that we start: in a group of their own, with what they may know, and an end that is sure."""
