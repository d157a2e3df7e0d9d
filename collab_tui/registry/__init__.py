"""Where events live: appending, reading, following, finding."""
