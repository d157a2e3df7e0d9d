"""The Textual app: wires the registry to messages and messages to screens."""
