"""Table `verdicts`: one word for each candidate."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="verdicts",
    doc="One word for each candidate, judged from the stored measures of its execution by the precedence in DESIGN: "
    "internal errors are never scored and appear among the rejects.",
    columns=(
        key("verdict_id", "sha256 over candidate, execution and the judge's fingerprint"),
        Column("candidate_id", "string", "the candidate that was judged"),
        Column("task_id", "string", "the task that it tries to solve"),
        Column("problem_id", "string", "the problem behind the task"),
        Column("language", "string", "the language pack that ran it"),
        Column("execution_id", "string", "the execution in `case_verdicts` that shows it"),
        Column("verdict", "string", "accepted, wrong_answer, runtime_error, time_limit, …"),
        Column("n_cases", "int", "how many cases were run"),
        Column(
            "n_accepted",
            "int",
            "how many of them were right; none behind the first failure is run unless `run_all`",
        ),
        provenance("max_cpu_s", "double", "the most CPU seconds over all cases"),
        provenance("max_memory_bytes", "bigint", "the highest peak of memory over all cases"),
        *MADE,
    ),
    constraints={"accepted_means_all": "verdict <> 'accepted' OR n_accepted = n_cases"},
    questions=(
        Question(
            "Which verdicts does each language get?",
            "SELECT language, verdict, count(*) AS n FROM verdicts GROUP BY language, verdict "
            "ORDER BY language, n DESC",
        ),
        Question(
            "What share passes, by language?",
            "SELECT language, avg(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END) AS pass_rate FROM verdicts "
            "GROUP BY language",
        ),
        Question(
            "Which candidates were right on all cases but some?",
            "SELECT candidate_id, language, n_accepted, n_cases FROM verdicts "
            "WHERE n_accepted BETWEEN 1 AND n_cases - 1",
        ),
    ),
)
