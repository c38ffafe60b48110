"""Conditions over what is known of a supplier: one definition gives a predicate, SQL and a sentence. Pure.

As JSON: `{"all": [..]}`, `{"any": [..]}`, and tests: `{"fact": "clients", "is": "at_least", "value": 25}`, with `"days": 30` where a fact is counted over a
window (UTC days, today and those before), and `"event": "Form Created"` where it is about an event. What is not known is neither zero nor different from
anything: every comparison with it is false, and `unknown` asks for it.
"""

from success.conditions.definition import Condition, Fact, Facts, Group, Test, key_of, keys, tests
from success.conditions.parsing import Fault, Invalid, parse
from success.conditions.sentences import sentence
from success.conditions.statements import Bound, expression, joins, sql

__all__ = [
    "Bound", "Condition", "Fact", "Facts", "Fault", "Group", "Invalid", "Test", "expression", "joins", "key_of", "keys", "parse", "sentence", "sql", "tests",
]  # fmt: skip
