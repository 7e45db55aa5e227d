"""What runs, in which order, onto which table. The only package that knows Delta or a Spark session.

May import tasklake.udfs, tasklake.quality and tasklake.sandbox_exec; nothing imports this package.
A new corpus is one file in sources/, a new run is one file in recipes/, a new trainer format is one file in
release/exports/.
"""
