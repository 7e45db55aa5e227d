"""Table `rejects`: rows that a stage refused, each with its reason."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="rejects",
    doc="A row that a stage refused, with its reason and enough to look at it. For every stage, input keys are output "
    "keys or reject keys, never both. A reject whose input changed or left stays with current = false.",
    columns=(
        key("reject_id", "sha256 over stage, input key and fingerprint"),
        Column("stage", "string", "the stage that refused it"),
        Column("source", "string", "the name of the source in the recipe"),
        Column(
            "input_key",
            "string",
            "the key of the refused input: a raw row, problem, task, request, answer, execution or verdict",
        ),
        Column("subject", "string", "what a person calls it, such as source_id and language"),
        Column("reason", "string", "the reason as one word"),
        Column("detail", "string", "the reason as a sentence"),
        Column("current", "boolean", "false once the input changed or left"),
        provenance("location", "string", "file and line for raw rows and idle answers, empty otherwise"),
        provenance("excerpt", "string", "the beginning of what was refused"),
        *MADE,
    ),
    updates=True,
    constraints={"reason_is_given": "reason <> ''"},
    questions=(
        Question(
            "Why were rows refused?",
            "SELECT stage, reason, count(*) AS n FROM rejects WHERE current GROUP BY stage, reason ORDER BY n DESC",
        ),
        Question(
            "Which input lines could not be read?",
            "SELECT location, reason, detail FROM rejects WHERE current AND stage = 'ingest' ORDER BY location",
        ),
        Question(
            "Which tasks did no oracle confirm?",
            "SELECT source, subject, detail FROM rejects WHERE current AND stage = 'ground'",
        ),
    ),
)
