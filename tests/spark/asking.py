"""A process that asks a model: `asking.py LAKE URL REQUESTS IN_FLIGHT`, to be killed by tests and started again."""

import sys
import tempfile
from pathlib import Path

from tasklake.jobs.config import load_settings
from tasklake.jobs.llm import answering, opening, requests
from tasklake.jobs.recipe import load_recipe
from tasklake.jobs.stage import Run

RECIPE = """
name: killed
source: {{source: mbpp, path: /nowhere.jsonl}}
stages: [ingest]
llm: {{model: openai/fake, base_url: "{url}", max_in_flight: {most}, parameters: {{max_tokens: 50}}, give_up_s: 30}}
"""


def main(lake: str, url: str, count: str, most: str) -> None:
    """Every request has an answer in the lake."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "recipe.yaml").write_text(RECIPE.format(url=url, most=most))
        recipe = load_recipe(str(Path(folder) / "recipe.yaml"))
    # Two tasks side by side, each begun again when its worker dies.
    settings = load_settings(lake=lake, session="local", spark_master="local[2,4]", driver_memory="1g")
    with opening.lake(settings, "asking", True, lambda stage, facts: None) as opened:
        run = Run(opened.spark, opened, recipe, settings, opened.run_id, lambda stage, facts: None)
        other = dict.fromkeys(("input_format", "output_format", "sample"), "One line.")
        rows = [(str(n), "story", {"statement": f"Do {n}."} | other, 0) for n in range(int(count))]
        found = answering.ask(run, "try", opened.spark.createDataFrame(rows, requests.ASKED))
        assert found.where("value IS NULL").isEmpty()


if __name__ == "__main__":
    main(*sys.argv[1:])
