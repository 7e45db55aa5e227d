"""Completions at corpus scale: requests keyed by content, bounded calls, every answer on storage before it counts.

`templates` and `requests` say what is asked, `providers` who answers, `executor` how a task keeps them busy, `parse`
what a stored answer says. Nothing here knows a table.
"""
