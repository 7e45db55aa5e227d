"""Trainer formats: one module each with `DOC` and `rows(tasks, samples)`, which yields JSON objects.

`tasks` maps task_id to a task of the release with its cases; `samples` are the rows of its samples.
"""
