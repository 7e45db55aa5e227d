"""Table `samples`: candidates that passed every gate."""

from tasklake.quality.tables import MADE, Column, Question, Table, key

TABLE = Table(
    name="samples",
    doc="A candidate that passed every gate, ready to be released: what a trainer reads.",
    columns=(
        key("sample_id", "sha256 over the verdict and the fingerprint of the gates"),
        Column("verdict_id", "string", "the verdict that let it pass"),
        Column("candidate_id", "string", "the candidate"),
        Column("task_id", "string", "the task that it solves"),
        Column("problem_id", "string", "the problem behind the task"),
        Column("source", "string", "the name of the source in the recipe"),
        Column("source_id", "string", "the item's identity inside its source"),
        Column("language", "string", "the language pack"),
        Column("program", "string", "the program"),
        Column("verdict", "string", "its verdict"),
        Column("model", "string", "who wrote it"),
        *MADE,
    ),
    constraints={"program_is_given": "program <> ''"},
    questions=(
        Question(
            "How many samples per language?", "SELECT language, count(*) AS samples FROM samples GROUP BY language"
        ),
        Question(
            "Which tasks are solved in several languages?",
            "SELECT source, source_id, collect_set(language) AS languages FROM samples GROUP BY source, source_id "
            "HAVING size(collect_set(language)) > 1",
        ),
        Question(
            "Show one solved task with its program.",
            "SELECT t.statement, s.language, s.program FROM samples s JOIN tasks t ON t.task_id = s.task_id LIMIT 1",
        ),
    ),
)
