#!/usr/bin/env bash
# build/venv-spark40 is .venv with the given pyspark 4.0.x in place of 4.1; its JARs lie in the cache.
set -euo pipefail

spark=$1
venv=build/venv-spark40
key=$(echo "$spark" | cat - .venv/.setup "$0" | sha256sum)
[ "$key" = "$(cat $venv/.setup 2>/dev/null)" ] && exit 0

.venv/bin/uv venv --quiet --clear --python .venv/bin/python $venv
# The same versions as the lock, except what Spark decides.
sed -nE 's/^([A-Za-z0-9_.-]+==[^\\]*[^\\ ]) *\\?$/\1/p' requirements.lock | grep -vE '^(pyspark|py4j)==' > build/spark40.txt
echo "pyspark==$spark" >> build/spark40.txt
.venv/bin/uv pip install --quiet --python $venv/bin/python --constraint build/spark40.txt \
    "setuptools" "pyspark[connect]==$spark"
.venv/bin/uv pip install --quiet --python $venv/bin/python --constraint build/spark40.txt --no-build-isolation \
    --editable ".[local,s3,dev]"
$venv/bin/python -m tasklake.jobs.jars delta
echo "$key" > $venv/.setup
