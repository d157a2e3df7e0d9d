"""The demo: three agents that live a story of concurrent work, each a process that takes part like any other."""
