#!/usr/bin/env bash
# Every YAML file outside the made folders parses; terraform is formatted and valid where there are files and the tool.
set -euo pipefail

.venv/bin/python - <<'PYTHON'
import pathlib
import sys

import yaml

made = {".venv", "build", "dist", "demo-lake", "tasklake-demo", "tasklake-lake", ".git"}
found = [p for p in sorted(pathlib.Path().rglob("*.y*ml")) if p.suffix in (".yaml", ".yml") and p.parts[0] not in made]
broken = 0
for path in found:
    try:
        for _ in yaml.parse(path.read_text("utf-8"), Loader=yaml.SafeLoader):
            pass
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        broken += 1
        sys.stderr.write(f"{path}: {error}\n")
sys.stdout.write(f"yaml: {len(found)} files, {broken} broken\n")
sys.exit(broken > 0)
PYTHON

if ! compgen -G 'infra/terraform/**' >/dev/null; then
    exit 0
elif ! command -v terraform >/dev/null; then
    echo "terraform: skipped, the tool is not installed"
else
    terraform fmt -check -recursive infra/terraform
    for environment in infra/terraform/envs/*/; do
        terraform -chdir="$environment" init -backend=false -input=false >/dev/null
        terraform -chdir="$environment" validate
    done
fi
