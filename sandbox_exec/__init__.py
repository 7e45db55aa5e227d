"""Runs an untrusted program under limits and says what happened. Standard library and PyYAML alone; no Spark."""
