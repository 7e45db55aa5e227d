"""Table `llm_requests`: what was asked of models."""

from tasklake.quality.tables import MADE, Column, Question, Table, key, provenance

TABLE = Table(
    name="llm_requests",
    doc="A completion that a stage asked for: the whole content that goes to a model. Its key is the hash of template, "
    "model, parameters, messages and sample, so whatever asks for the same finds the stored response.",
    columns=(
        key("request_key", "sha256 over template hash, model, parameters, messages and sample"),
        Column("template", "string", "name of the template that made the messages"),
        Column("template_hash", "string", "sha256 over the whole template"),
        Column("model", "string", "provider and model, as provider/name"),
        Column("parameters", "string", "parameters of the call as JSON: temperature, max_tokens, …"),
        Column("messages", "string", "the messages as JSON"),
        Column("schema", "string", "the JSON schema that the answer must have; empty: any text"),
        Column("sample", "int", "which of several answers to the same messages"),
        provenance("prompt_tokens", "bigint", "estimated tokens of the messages"),
        provenance("stage", "string", "the stage that asked first"),
        provenance("recipe", "string", "the recipe that asked first"),
        provenance("prices", "string", "prices in force as JSON: USD per million tokens"),
        *MADE,
    ),
    properties={"delta.appendOnly": "true"},
    constraints={"messages_are_given": "messages <> ''"},
    questions=(
        Question(
            "Which requests have no answer yet?",
            "SELECT q.stage, q.model, count(*) FROM llm_requests q LEFT ANTI JOIN "
            "(SELECT request_key FROM llm_responses WHERE answered) a ON q.request_key = a.request_key GROUP BY 1, 2",
        ),
        Question(
            "How long are the prompts of each template?",
            "SELECT template, count(*), avg(prompt_tokens) FROM llm_requests GROUP BY template",
        ),
        Question(
            "Which versions of a template have been used?",
            "SELECT template, template_hash, min(made_at) AS since FROM llm_requests GROUP BY 1, 2 ORDER BY since",
        ),
    ),
)
