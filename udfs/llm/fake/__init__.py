"""A server that speaks the OpenAI protocol and fails on demand: for tests of this package and of its users.

It answers from the request alone, so that equal requests have equal answers; what goes wrong is decided by the request,
too. It counts what it was asked and what it really answered. It listens on loopback, and no model is behind it.
"""
