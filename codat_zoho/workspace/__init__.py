"""Pulumi's own files and command, without its SDK: project and stack files, states, previews, the CLI."""
