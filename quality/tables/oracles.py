"""Table `oracles`: trusted solutions run against the cases of their task."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="oracles",
    doc="A trusted solution, adapted to stdin/stdout, and what its runs showed. A task is grounded when at least one "
    "of its oracles reproduced every expected output, identically, in every fresh run (agreed).",
    columns=(
        key("oracle_id", "sha256 over task, language, adapted program and fingerprint"),
        Column("task_id", "string", "the task that it grounds"),
        Column("problem_id", "string", "the problem whose solution it is"),
        Column("language", "string", "the language pack that runs it"),
        Column("program", "string", "the solution adapted to stdin/stdout"),
        Column("agreed", "boolean", "every run reproduced every expected output"),
        Column("verdict", "string", "the worst verdict over all runs"),
        Column("runs", "int", "how many fresh runs were asked for"),
        provenance("toolchain", "string", "version of the toolchain that ran it"),
        provenance("isolation", "string", "isolation level of the box"),
        provenance("stderr_tail", "string", "end of the standard error of the first run that failed"),
        *MADE,
    ),
    constraints={"agreed_means_accepted": "agreed = (verdict = 'accepted')", "runs_is_positive": "runs > 0"},
    questions=(
        Question(
            "Which verdicts did oracles get?", "SELECT verdict, count(*) AS oracles FROM oracles GROUP BY verdict"
        ),
        Question(
            "Which trusted solutions are wrong?",
            "SELECT t.source, t.source_id, o.verdict, o.stderr_tail "
            "FROM oracles o JOIN tasks t ON t.task_id = o.task_id WHERE NOT o.agreed",
        ),
        Question(
            "Which tasks rest on several oracles?",
            "SELECT task_id, count(*) AS oracles FROM oracles WHERE agreed GROUP BY task_id HAVING count(*) > 1",
        ),
    ),
)
