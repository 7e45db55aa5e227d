"""Every table of the lake is described as code: a paragraph, comments, a key, and questions that a person would ask."""

from __future__ import annotations

import pkgutil
import re

import pytest

from tasklake.quality import tables
from tasklake.quality.tables import JOURNEY, MADE, Role, Table, all_tables

each_table = pytest.mark.parametrize("table", all_tables().values(), ids=lambda table: table.name)
NAME = re.compile(r"[a-z][a-z0-9_]*")


def test_every_module_of_the_folder_is_a_table_of_its_name():
    """Adding a table is adding one module, and its name is the file's."""
    assert sorted(all_tables()) == sorted(module.name for module in pkgutil.iter_modules(tables.__path__))


def test_tables_come_in_the_order_of_the_journey():
    """Lists of tables read like the way of a row; each name in the journey is a table."""
    assert list(all_tables())[: len(JOURNEY)] == list(JOURNEY)


@each_table
def test_a_table_has_a_paragraph_and_a_comment_on_every_column(table: Table):
    """What a table and each of its columns mean is said in words."""
    assert len(table.doc.split()) >= 5
    assert table.doc.endswith(".")
    assert not [column.name for column in table.columns if not column.doc.strip()]


@each_table
def test_a_table_has_a_key_that_comes_first(table: Table):
    """A row has an identity, and a reader sees it first."""
    assert table.key
    assert table.names[: len(table.key)] == table.key


@each_table
def test_names_are_plain_and_given_once(table: Table):
    """Names need no quoting, in SQL, in a folder or in Python."""
    assert len(set(table.names)) == len(table.names)
    assert not [name for name in (table.name, *table.names, *table.constraints) if not NAME.fullmatch(name)]


@each_table
def test_every_row_says_what_made_it(table: Table):
    """Each table but the runs' own carries the run, the time and the fingerprint of what made the row."""
    assert table.name == "runs" or set(MADE) <= set(table.columns)


@each_table
def test_equality_leaves_out_how_a_row_came_about(table: Table):
    """Key and content are what equality looks at; run, time and fingerprint never are."""
    provenance = {column.name for column in table.columns if column.role is Role.PROVENANCE}
    assert set(table.content) | provenance == set(table.names)
    assert not set(table.content) & provenance


@each_table
def test_watched_columns_are_provenance_of_an_updated_table(table: Table):
    """A watched column is one that equality leaves out, of a table that is updated at all."""
    roles = {column.name: column.role for column in table.columns}
    assert all(roles[name] is Role.PROVENANCE for name in table.watched)
    assert table.updates or not table.watched


@each_table
def test_constraints_name_columns_of_the_table(table: Table):
    """A rule that mentions no column of its table would hold for every row or none."""
    for rule in table.constraints.values():
        assert set(re.findall(r"\w+", rule)) & set(table.names)


@each_table
def test_three_questions_come_with_the_sql_that_answers_them(table: Table):
    """The questions ask something, the SQL reads this table or explains it by a neighbour, and nothing is changed."""
    assert len(table.questions) >= 3
    for question in table.questions:
        assert question.asks.endswith(("?", "."))
        assert question.sql.startswith("SELECT ")
        assert set(re.findall(r"\w+", question.sql)) & set(all_tables())
    assert any(table.name in re.findall(r"\w+", question.sql) for question in table.questions)
