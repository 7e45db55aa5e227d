"""Table `cases`: one input with its expected output."""

from tasklake.quality.tables import MADE, Column, Question, Table, key

TABLE = Table(
    name="cases",
    doc="One input of a task with its expected output. The expected output never enters a box where a candidate runs.",
    columns=(
        key("task_id", "the task it belongs to"),
        key("ordinal", "its place among the task's cases, from 0", "int"),
        Column("input", "string", "what the program reads"),
        Column("output", "string", "what the program must write"),
        *MADE,
    ),
    constraints={"ordinal_is_natural": "ordinal >= 0"},
    questions=(
        Question(
            "How many cases do tasks have?", "SELECT n_cases, count(*) FROM tasks GROUP BY n_cases ORDER BY n_cases"
        ),
        Question(
            "What are the cases of one problem?",
            "SELECT c.ordinal, c.input, c.output FROM cases c JOIN tasks t ON t.task_id = c.task_id "
            "WHERE t.source_id = '1' ORDER BY c.ordinal",
        ),
        Question(
            "Which are the largest inputs?", "SELECT task_id, length(input) AS n FROM cases ORDER BY n DESC LIMIT 10"
        ),
    ),
)
