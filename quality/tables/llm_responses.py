"""Table `llm_responses`: what models answered, as it came, and what failed."""

from tasklake.quality.tables import MADE, Column, Question, Role, Table, key, provenance

TABLE = Table(
    name="llm_responses",
    doc="What came back: the body of an answer as the provider sent it, one for each request and for ever, or the "
    "class of a failure, one for each run in which it failed. Values are parsed from the body whenever they are read.",
    columns=(
        key("response_id", "the request's key for its answer; for a failure a sha256 over key, run and class"),
        Column("request_key", "string", "the request; see `llm_requests`"),
        Column("answered", "boolean", "true for an answer, which is never asked for again"),
        Column("body", "string", "the body of the answer as it came; null for a failure"),
        Column("error_class", "string", "rate, timeout, length, malformed, auth, server, network, request, unrecorded"),
        Column("error", "string", "the last message of a failure, without keys", Role.PROVENANCE),
        provenance("attempts", "int", "how often it was tried in this run"),
        provenance("calls", "int", "how many calls that made"),
        provenance("endpoint", "string", "who was called: host and path, or batch"),
        provenance("answered_by", "string", "the model's name in the answer"),
        provenance("provider_id", "string", "the provider's id of the answer"),
        provenance("finish_reason", "string", "why the model stopped"),
        provenance("prompt_tokens", "bigint", "tokens of the messages"),
        provenance("cached_tokens", "bigint", "those of them that the provider had cached"),
        provenance("answer_tokens", "bigint", "tokens of the answer"),
        provenance("tokens_estimated", "boolean", "true where the provider did not tell"),
        provenance("cost_usd", "double", "cost by the prices of the recipe"),
        provenance("latency_s", "double", "seconds from sending to the whole answer; of a failure, of all its tries"),
        provenance("structured", "boolean", "true where the provider was made to keep to the schema; null for a batch"),
        provenance("executor", "string", "live or batch"),
        provenance("answered_at", "double", "when it came back, in seconds since 1970"),
        provenance("stage", "string", "the stage that asked"),
        provenance("model", "string", "provider and model, as provider/name"),
        provenance("recipe", "string", "the recipe that sent it and pays; of a batch, the one that asked first"),
        *MADE,
    ),
    properties={"delta.appendOnly": "true"},
    constraints={"an_answer_has_a_body": "answered = (body IS NOT NULL) AND answered = (error_class IS NULL)"},
    questions=(
        Question(
            "What has each model cost?",
            "SELECT model, sum(calls), sum(prompt_tokens + answer_tokens), sum(cost_usd) FROM llm_responses GROUP BY 1",
        ),
        Question(
            "What fails, and how often?",
            "SELECT model, error_class, count(*), max(error) FROM llm_responses WHERE NOT answered GROUP BY 1, 2",
        ),
        Question(
            "How long does an answer take?",
            "SELECT model, percentile(latency_s, 0.5), percentile(latency_s, 0.99) FROM llm_responses "
            "WHERE answered AND executor = 'live' GROUP BY model",
        ),
    ),
)
