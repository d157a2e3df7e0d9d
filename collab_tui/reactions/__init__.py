"""Rules: when this event, then do that; and the record that it was done."""
