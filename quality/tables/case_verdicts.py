"""Table `case_verdicts`: the raw record of every execution, build and cases."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="case_verdicts",
    doc="What running one program against the cases of a task showed, step by step: ordinal -1 is the build, 0 and up "
    "are the cases. Keyed by content (program, language pack, toolchain, cases, checker, limits, isolation), so "
    "identical work is never run twice, and raw measures are kept, so a tighter limit is judged without running.",
    columns=(
        key("execution_id", "sha256 over all that decides the outcome"),
        key("ordinal", "-1 for the build, else the case's place", "int"),
        Column("language", "string", "the language pack that ran it"),
        Column("verdict", "string", "what this step showed under the limits it ran with"),
        Column("exit_code", "int", "exit code, null when a signal ended it"),
        Column("signal", "int", "the signal that ended it, null otherwise"),
        provenance("cpu_s", "double", "CPU seconds of the whole process tree"),
        provenance("wall_s", "double", "wall seconds"),
        provenance("peak_memory_bytes", "bigint", "peak memory of the whole process tree, 0 if too brief to see"),
        provenance("output_bytes", "bigint", "bytes written to standard output"),
        provenance("measured_by", "string", "how CPU and memory were measured"),
        provenance("stdout_head", "string", "first bytes of the output, for people"),
        provenance("stderr_tail", "string", "last bytes of standard error or of the compiler's messages"),
        provenance("toolchain", "string", "version of the toolchain"),
        provenance("isolation", "string", "isolation level of the box"),
        provenance("unenforced", "array<string>", "limits that this level could not enforce"),
        *MADE,
    ),
    constraints={"ordinal_is_known": "ordinal >= -1"},
    questions=(
        Question(
            "What does a case cost per language?",
            "SELECT language, count(*) AS cases, avg(cpu_s), max(peak_memory_bytes) FROM case_verdicts "
            "WHERE ordinal >= 0 GROUP BY language",
        ),
        Question(
            "Which builds failed, and why?",
            "SELECT language, stderr_tail FROM case_verdicts WHERE ordinal = -1 AND verdict <> 'accepted'",
        ),
        Question(
            "Who would fail under half the time limit?",
            "SELECT execution_id, max(cpu_s) AS cpu FROM case_verdicts WHERE verdict = 'accepted' "
            "GROUP BY execution_id HAVING max(cpu_s) > 1",
        ),
    ),
)
