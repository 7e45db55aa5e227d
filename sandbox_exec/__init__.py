"""Runs an untrusted program under limits and says what happened. Standard library only, and PyYAML for packs; no Spark."""
