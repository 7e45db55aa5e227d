"""Completions for stages: a frame of requests in, a frame of values and typed errors out (`answering.ask`).

plan (`requests`) → execute (`calling`) → join (`answering`). A request whose answer is stored is never sent again; what
workers have finished is durable before it is in a table; parsing reads what is stored.
"""
