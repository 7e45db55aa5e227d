"""What "good" means: tables as code and row gates, as plain data.

May import `tasklake.sandbox_exec`; never `tasklake.udfs` or `tasklake.jobs`, and no Spark: tables and gates are
described in Spark SQL text, so that looking at them costs nothing. Add a table in `tables/<name>.py`, a gate in
`gates/<theme>.py`.
"""
