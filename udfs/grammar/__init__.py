"""The grammar of a task's input and output: one object explains it, checks it, writes it and reads it."""

from tasklake.udfs.grammar.adapter import adapted
from tasklake.udfs.grammar.asserts import Call, observed_calls
from tasklake.udfs.grammar.explain import explain_input, explain_output
from tasklake.udfs.grammar.model import Grammar, inferred, without_literals
from tasklake.udfs.grammar.nodes import NotInGrammar
from tasklake.udfs.grammar.refusal import Refused

__all__ = [
    "Call",
    "Grammar",
    "NotInGrammar",
    "Refused",
    "adapted",
    "explain_input",
    "explain_output",
    "inferred",
    "observed_calls",
    "without_literals",
]
