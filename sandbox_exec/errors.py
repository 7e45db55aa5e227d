"""The one root of every error that the project raises on purpose."""


class TasklakeError(Exception):
    """Something is wrong that a person can mend; the message says what, where and what to do."""
