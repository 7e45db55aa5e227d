#!/usr/bin/env bash
# .venv holds exactly what requirements.lock says, the package itself (editable) and the JARs; build/types links to the
# four packages. Called by `make setup` in the repository root; a warm call compares one checksum and leaves.
set -euo pipefail

venv=.venv
stamp=$venv/.setup

python_of_the_system() {
    local name
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        # Asked, not looked up: a shim may exist for a version that does not.
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "setup: please install Python 3.11 or later first: apt-get install python3 python3-venv" >&2
    return 1
}

# uv installs in a third of the time; where it cannot be had or cannot reach the index, pip does the same work.
install() {
    if [ -x $venv/bin/uv ]; then
        # From its cache if that holds everything: some mirrors' files look changed at every request, and each look
        # at Spark would be another 400 MB to fetch and 1.4 GB to keep.
        $venv/bin/uv pip install --quiet --offline --python $venv/bin/python "$@" 2>/dev/null && return
        $venv/bin/uv pip install --quiet --python $venv/bin/python "$@" && return
        echo "setup: uv could not install, trying pip" >&2
    fi
    $venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
}

install_uv() {
    mkdir -p build
    awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements.lock > build/uv.lock
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r build/uv.lock ||
        echo "setup: no uv, going on with pip (slower)" >&2
}

link_tree() {
    local package
    mkdir -p build/types/tasklake
    for package in jobs udfs sandbox_exec quality; do
        ln -sfn ../../../$package build/types/tasklake/$package
    done
}

link_tree
# Two calls at the same time would install over each other.
exec 9>build/.setup-lock
flock 9
# The folder is part of the key: scripts inside an environment hold absolute paths and a moved checkout must be redone.
key=$(pwd | cat - pyproject.toml requirements.lock jobs/jars.lock infra/setup/*.sh | sha256sum)
[ -x $venv/bin/python ] && [ "$key" = "$(cat $stamp 2>/dev/null)" ] && exit 0

python=$(python_of_the_system)
bash infra/setup/system.sh "$python"
if ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "setup: making $venv with $("$python" --version)"
    "$python" -m venv --clear $venv
fi
echo "setup: installing requirements.lock into $venv (about 1 GB, a minute or two the first time)"
export UV_PYTHON_DOWNLOADS=never  # interpreters come from the system, never from a download
install_uv
install --require-hashes -r requirements.lock
install --no-deps --no-build-isolation --editable .
echo "setup: fetching the Delta JARs"
$venv/bin/python -m tasklake.jobs.jars delta
echo "setup: keeping what Spark starts from, so that commands start sooner (half a minute)"
$venv/bin/python -m tasklake.jobs.startup || true
echo "$key" > $stamp
echo "setup: done"
