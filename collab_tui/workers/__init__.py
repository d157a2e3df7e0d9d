"""Work that events of a stream start: short workers that decide what is to be done, long ones that do it."""
