"""What runs inside an agent process: makes a box, runs commands in it, measures them. No import from outside of it.

The modules travel to the agent as text, so that it needs no package on its path: they use the standard library alone.
"""
