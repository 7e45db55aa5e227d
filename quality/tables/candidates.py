"""Table `candidates`: programs offered for a task in a language."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="candidates",
    doc="A program offered for a task in a language, extracted from an answer; the rule that found it is kept.",
    columns=(
        key("candidate_id", "sha256 over task, language, sample and the answer that was judged"),
        Column("request_key", "string", "sha256 over task, language and sample: what was asked for"),
        Column("task_id", "string", "the task that it tries to solve"),
        Column("problem_id", "string", "the problem behind the task"),
        Column("language", "string", "the language pack that runs it"),
        Column("sample", "int", "which of several answers to the same request"),
        Column("program", "string", "the program as it is run"),
        Column("model", "string", "who answered"),
        Column("extraction", "string", "the rule that found the program in the answer"),
        provenance("answer", "string", "the whole answer as received"),
        *MADE,
    ),
    constraints={"program_is_given": "program <> ''"},
    questions=(
        Question("How many candidates per language?", "SELECT language, count(*) FROM candidates GROUP BY language"),
        Question("Which extraction rules fired?", "SELECT extraction, count(*) FROM candidates GROUP BY extraction"),
        Question(
            "Which model writes the longest programs?",
            "SELECT model, language, avg(length(program)) AS bytes FROM candidates GROUP BY model, language",
        ),
    ),
)
