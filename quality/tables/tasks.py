"""Table `tasks`: problems in language-agnostic stdin/stdout form."""

from tasklake.quality.tables import MADE, Column, Question, Table, key

TABLE = Table(
    name="tasks",
    doc="A problem in language-agnostic stdin/stdout form. Statement, cases and oracle adapter are generated from one "
    "grammar, so they cannot disagree. A task counts once `oracles` holds an agreed oracle for it.",
    columns=(
        key("task_id", "sha256 over the problem and the fingerprint of the reformulator"),
        Column("problem_id", "string", "the problem it was made from"),
        Column("source", "string", "the name of the source in the recipe"),
        Column("source_id", "string", "the item's identity inside its source"),
        Column("statement", "string", "what the program has to do"),
        Column("input_format", "string", "what the program reads from standard input"),
        Column("output_format", "string", "what the program writes to standard output"),
        Column("grammar", "string", "the grammar of input and output as JSON, empty where the source gave cases"),
        Column("entry_point", "string", "the function that the oracle's adapter calls, empty where there is none"),
        Column("checker", "string", "how outputs are compared: a name from sandbox_exec/checkers"),
        Column("n_cases", "int", "how many cases the task has"),
        Column("cases_digest", "string", "sha256 over all cases in order"),
        *MADE,
    ),
    constraints={"has_cases": "n_cases > 0"},
    questions=(
        Question(
            "How many tasks are grounded, by source?",
            "SELECT t.source, count(DISTINCT o.task_id) AS grounded, count(DISTINCT t.task_id) AS tasks FROM tasks t "
            "LEFT JOIN oracles o ON o.task_id = t.task_id AND o.agreed GROUP BY t.source",
        ),
        Question(
            "What does one task look like?",
            "SELECT statement, input_format, output_format FROM tasks ORDER BY task_id LIMIT 1",
        ),
        Question(
            "Which tasks does every candidate pass, which none?",
            "SELECT t.source_id, count_if(v.verdict = 'accepted') AS passed, count(*) AS tried FROM tasks t "
            "JOIN verdicts v ON v.task_id = t.task_id GROUP BY t.source_id ORDER BY passed / tried",
        ),
    ),
)
