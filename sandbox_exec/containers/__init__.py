"""Containers of a Docker engine, each made for one agent: what the engine must hold, what lies inside, and its end.

The package docker is imported when the first container is asked for, never before: the sandbox itself needs none.
"""
