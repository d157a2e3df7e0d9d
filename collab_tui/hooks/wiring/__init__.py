"""Setting agents up: our entries in their configuration files, put in, told about and taken out again."""
