"""How texts leave this package: without secrets, on one line, escaped."""
