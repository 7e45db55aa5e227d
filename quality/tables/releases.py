"""Table `releases`: frozen, versioned datasets."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="releases",
    doc="A frozen, versioned dataset: a copy with its own digest, which VACUUM of the tables cannot touch.",
    columns=(
        key("release_id", "sha256 over name, version and digest"),
        Column("name", "string", "the dataset's name"),
        Column("digest", "string", "sha256 over the content of every row in it, whatever the order"),
        Column("tasks", "bigint", "how many tasks it holds"),
        Column("samples", "bigint", "how many samples it holds"),
        Column("languages", "array<string>", "the languages of its samples"),
        provenance("version", "int", "1, 2, 3, … in the order of publishing"),
        provenance("path", "string", "where the frozen copy lies, below the lake"),
        provenance("input_versions", "map<string,bigint>", "the Delta version of every table it was made from"),
        provenance("gates", "string", "fingerprint of the gates that judged its rows"),
        *MADE,
    ),
    constraints={"version_is_positive": "version > 0"},
    questions=(
        Question(
            "Which releases are there?", "SELECT name, version, tasks, samples, digest FROM releases ORDER BY made_at"
        ),
        Question("Which is the newest?", "SELECT name, max(version) AS version FROM releases GROUP BY name"),
        Question(
            "From which table versions was it made?",
            "SELECT name, version, explode(input_versions) FROM releases ORDER BY name, version",
        ),
    ),
)
