"""What the commands share at a terminal: questions, exit codes, environment variables."""
