"""Gates on what the sandbox showed."""

from tasklake.quality.gates import Gate

GATES = (
    Gate(
        name="verdict_is_accepted",
        doc="Only programs that were right on every case become samples: reward is binary, partial credit was gamed.",
        holds="verdict = 'accepted'",
        reason="concat('the verdict is ', verdict, ' with ', n_accepted, ' of ', n_cases, ' cases right')",
        passes=({"verdict": "accepted", "n_accepted": 3, "n_cases": 3},),
        fails=({"verdict": "wrong_answer", "n_accepted": 2, "n_cases": 3},),
    ),
    Gate(
        name="cases_are_several",
        doc="A program judged by fewer cases than the recipe's gate.min_cases may have printed a constant.",
        holds="n_cases >= ${min_cases}",
        reason="concat('the task has only ', n_cases, ' case')",
        passes=({"n_cases": 2},),
        fails=({"n_cases": 1},),
    ),
)
