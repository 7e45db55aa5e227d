"""A contestant can read and write the format from these sentences alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasklake.udfs.grammar.nodes import UNORDERED, Node, shape, word

INDENT = "   "
_FORMS = {
    "token": "a word without blanks",
    "line": "a text",
    "barred": "a text between two vertical bars",
    "escaped": "a text between two vertical bars, in which \\n, \\t and \\r stand for line feed, tab and carriage "
    "return, \\\\ for one backslash, and \\u{…} for the character of that hexadecimal code",
}
_MANY_FORMS = {"token": "words", "line": "texts", "barred": "texts between vertical bars"}


def explain_input(spec: Mapping[str, Any], names: Sequence[str | None]) -> str:
    """The paragraph that tells how the arguments are laid out on standard input."""
    nodes = [argument["node"] for argument in spec["arguments"]]
    if len(nodes) == 1:
        return "The input consists of " + _layout(nodes[0], _named(names[0]), "")
    head = f"The input consists of {len(nodes)} values, one after the other, each starting on a new line:"
    parts = [
        f"{index}. {_upper(_layout(node, _named(name), INDENT))}"
        for index, (node, name) in enumerate(zip(nodes, names, strict=True), start=1)
    ]
    return "\n".join([head, *parts])


def explain_output(spec: Mapping[str, Any]) -> str:
    """The paragraph that tells how the result is written to standard output."""
    notes = [_WRAPS[wrap[0]].format(*wrap[1:]) for wrap in spec["wrap"] if wrap[0] in _WRAPS]
    text = "Print " + _layout(spec["result"], "", "")
    return " ".join([text, *notes]) if "\n" not in text else "\n".join([text, *notes])


_WRAPS = {
    "sorted": "The items are in ascending order (numbers by value, texts by character code).",
    "int": "Any fractional part of the answer is dropped.",
    "abs": "The sign of the answer is dropped.",
}


def _named(name: str | None) -> str:
    return f" ({name})" if name else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def noun(node: Node) -> str:
    """One value of the node, in words, where it takes a single token or line."""
    kind = node["t"]
    if kind == "text":
        return _FORMS[node["form"]]
    if kind == "float":
        return f"a decimal number with exactly {_digits(node['d'])}"
    if kind == "number":
        return f"a number (a whole one without a decimal point, any other with exactly {_digits(node['d'])})"
    if kind == "union":
        return _choice(node)
    if kind == "record":
        return _fields(node["fields"])
    if kind == "list":
        items = f"k items{_order(node)}, all separated by single blanks"
        return f"a count k and then {items}; the items are {plural(node['of'])}"
    return {"int": "an integer", "bool": "the word true or false", "none": "the word none"}[kind]


def plural(node: Node) -> str:
    """Several values of the node, in words."""
    kind = node["t"]
    if kind == "text":
        return _MANY_FORMS.get(node["form"], "texts")
    if kind == "float":
        return f"decimal numbers with exactly {_digits(node['d'])} each"
    if kind == "number":
        return f"numbers (whole ones without a decimal point, others with exactly {_digits(node['d'])})"
    if kind == "union":
        return f"values, each {_choice(node)}"
    return {"int": "integers", "bool": "words true or false", "none": "words none"}[kind]


def _digits(count: int) -> str:
    return "1 decimal" if count == 1 else f"{count} decimals"


def _choice(node: Node) -> str:
    if node["tagged"]:
        options = [_tagged(member) for member in node["of"]]
        return f"one of: {'; '.join(options)} (the leading word tells which)"
    text = "; a text never looks like one of the others" if any(item["t"] == "text" for item in node["of"]) else ""
    return f"either {' or '.join(noun(member) for member in node['of'])}{text}"


def _tagged(member: Node) -> str:
    return "the word none alone" if member["t"] == "none" else f"the word {word(member)}, a blank and {noun(member)}"


def _fields(fields: Sequence[Node]) -> str:
    if all(field == fields[0] for field in fields):
        return f"{len(fields)} {plural(fields[0])}, separated by single blanks"
    return f"{len(fields)} values separated by single blanks: " + ", ".join(map(noun, fields))


def _order(node: Node) -> str:
    return f" in {_ascending(node['of'])} and each once" if node["py"] in UNORDERED else ""


def _ascending(node: Node) -> str:
    """Ascending order, with the rules that values of this node need beyond the order of numbers."""
    kinds = set(_kinds(node))
    rules = [
        (kinds & {"list", "record", "grid", "dict"}, "compared part by part"),
        ("union" in kinds, "kinds in the order in which they are named here"),
        ("text" in kinds, "texts by character code"),
        ("bool" in kinds, "false before true"),
    ]
    stated = ", ".join(rule for applies, rule in rules if applies)
    return f"ascending order ({stated})" if stated else "ascending order"


def _kinds(node: Node) -> list[str]:
    of = node.get("of", [])
    parts = [*(of if isinstance(of, list) else [of]), *node.get("fields", [])]
    parts += [node[name] for name in ("key", "value") if name in node]
    return [node["t"], *(kind for part in parts for kind in _kinds(part))]


def _layout(node: Node, name: str, indent: str) -> str:
    """How a value that starts on a line of its own is written, down to its innermost parts."""
    kind = node["t"]
    if shape(node) != "block":
        empty = " (it may be empty)" if kind == "text" and node["form"] == "line" else ""
        return f"one line{name}: {noun(node)}{empty}."
    if kind == "list":
        return _list(node, name, indent)
    if kind == "grid":
        return f"a table{name}: a line with two integers, the number of rows and of columns; then one line per row, " \
            f"with its {plural(node['of'])}, separated by single blanks."  # fmt: skip
    if kind == "record":
        head = f"a sequence of {len(node['fields'])} values{name}, each starting on a new line:"
        return "\n".join([head, *(_item(field, indent) for field in node["fields"])])
    if kind == "dict":
        return _dict(node, name, indent)
    head = f"one of the following{name}; a line with a word tells which, and the value starts on the next line:"
    options = [_option(member, indent) for member in node["of"]]
    return "\n".join([head, *options])


def _option(member: Node, indent: str) -> str:
    if member["t"] == "none":
        return f"{indent}- the word none, and nothing after it."
    return f"{indent}- {word(member)}: {_layout(member, '', indent + INDENT)}"


def _item(node: Node, indent: str) -> str:
    return f"{indent}- {_layout(node, '', indent + INDENT)}"


def _list(node: Node, name: str, indent: str) -> str:
    what = "a set" if node["py"] in UNORDERED else "a list"
    order = _order(node)
    if node["layout"] == "pair":
        return (
            f"{what}{name}: a line with the number of its items; then one line with the items{order}, separated by "
            f"single blanks: {plural(node['of'])}. The second line is empty when there are no items."
        )
    head = f"{what}{name}: a line with the number of its items; then the items{order}, each as follows:"
    return f"{head}\n{_item(node['of'], indent)}"


def _dict(node: Node, name: str, indent: str) -> str:
    order = f"by key in {_ascending(node['key'])}" if node["order"] == "sorted" else "no key appearing twice"
    head = f"pairs of a key and a value{name}: a line with the number of pairs; then the pairs, {order}"
    if node["layout"] == "row":
        return f"{head}, one per line: the key ({noun(node['key'])}), a blank, the value ({noun(node['value'])})."
    return f"{head}, each as follows:\n{_item(node['key'], indent)}\n{_item(node['value'], indent)}"
