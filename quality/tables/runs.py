"""Table `runs`: one row for each execution of a recipe."""

from tasklake.quality.tables import Column, Question, Role, Table, key, provenance

STAGE = (
    "struct<stage:string,`in`:bigint,kept:bigint,rejected:bigint,`new`:bigint,executed:bigint,llm_calls:bigint,"
    "cost_usd:double,seconds:double>"
)
LLM = (
    "struct<stage:string,model:string,asked:bigint,known:bigint,calls:bigint,answered:bigint,failed:bigint,"
    "tokens:bigint,usd:double>"
)

TABLE = Table(
    name="runs",
    doc="One execution of a recipe: what it read, with which code and settings, what came of it. It is the only table "
    "that a run without news writes to.",
    columns=(
        key("run_id", "the run's identity, sorted by time"),
        Column("recipe", "string", "the recipe's name", Role.PROVENANCE),
        provenance("recipe_hash", "string", "sha256 over the whole recipe with its overrides"),
        provenance("status", "string", "running, done or failed; a run that still says running was killed"),
        provenance("error", "string", "what ended a failed run"),
        provenance("code_version", "string", "version of the code"),
        provenance("input_versions", "map<string,bigint>", "Delta version of every table before the run"),
        provenance("output_versions", "map<string,bigint>", "Delta version of every table after the run"),
        provenance("stages", f"array<{STAGE}>", "counts, cost and seconds of every stage"),
        provenance("llm", f"array<{LLM}>", "what stages asked of models, and how much of it was stored already"),
        provenance("started_at", "timestamp", "when it began (UTC)"),
        provenance("seconds", "double", "how long it took"),
    ),
    updates=True,
    watched=("status", "stages", "error"),
    constraints={"status_is_known": "status IN ('running', 'done', 'failed')"},
    questions=(
        Question(
            "What ran lately?", "SELECT run_id, recipe, status, seconds FROM runs ORDER BY started_at DESC LIMIT 10"
        ),
        Question(
            "How long did each stage take in the newest run?",
            "SELECT s.stage, s.seconds, s.new FROM (SELECT explode(stages) AS s FROM runs "
            "WHERE started_at = (SELECT max(started_at) FROM runs))",
        ),
        Question("What did it all cost?", "SELECT sum(s.cost_usd) FROM (SELECT explode(stages) AS s FROM runs)"),
    ),
)
