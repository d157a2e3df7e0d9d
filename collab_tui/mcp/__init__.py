"""The MCP server: taking part as tools of a model."""
