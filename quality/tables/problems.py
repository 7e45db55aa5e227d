"""Table `problems`: source items as text with their known tests and solutions."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="problems",
    doc="One source item as text with its known tests and solutions. A problem belongs to (source, source_id); when "
    "the source edits or withdraws it, its row stays with current = false and its descendants leave the next release.",
    columns=(
        key("problem_id", "sha256 over source, source_id and everything below that defines the problem"),
        Column("source", "string", "the name of the source in the recipe"),
        Column("source_id", "string", "the item's identity inside its source"),
        Column("style", "string", "asserts: tests are Python assert statements; stdio: tests are input and output"),
        Column("title", "string", "short title, empty where the source has none"),
        Column("statement", "string", "the text of the problem as the source has it"),
        Column("setup", "string", "code that the tests need before they run"),
        Column("tests", "array<string>", "assert statements, for style asserts"),
        Column("input_format", "string", "what a program reads, for style stdio"),
        Column("output_format", "string", "what a program writes, for style stdio"),
        Column("cases", "array<struct<input:string,output:string>>", "known cases, for style stdio"),
        Column("solutions", "array<struct<language:string,program:string>>", "trusted solutions: the oracles"),
        Column("licence", "string", "licence of the row as its source states it"),
        Column("current", "boolean", "false once the source no longer holds this content"),
        provenance("row_keys", "array<string>", "hashes of the raw rows that made the problem, its solutions included"),
        provenance("location", "string", "file and line of the problem's row when it was first read"),
        provenance("revision", "string", "the revision of its source: what the recipe pins, else the source module"),
        *MADE,
    ),
    updates=True,
    watched=("row_keys", "made_by"),
    constraints={"style_is_known": "style IN ('asserts', 'stdio')", "source_id_is_given": "source_id <> ''"},
    questions=(
        Question(
            "How many problems does each source hold?",
            "SELECT source, count(*) AS problems FROM problems WHERE current GROUP BY source ORDER BY source",
        ),
        Question(
            "Which problems were edited or withdrawn?",
            "SELECT source, source_id, made_at FROM problems WHERE NOT current ORDER BY made_at DESC",
        ),
        Question(
            "Which problems come without a trusted solution?",
            "SELECT source, source_id, title FROM problems WHERE current AND size(solutions) = 0",
        ),
    ),
)
