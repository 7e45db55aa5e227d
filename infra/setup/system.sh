#!/usr/bin/env bash
# Java and the system packages that the demo and the tests run are installed, or one line says what to install.
# Called by `make setup` with the Python that the environment is made from; touches nothing when all is there.
set -euo pipefail

python=$1
packages=()

# Spark 4 runs on Java 17 and later; Debian 13 no longer has 17.
java_is_there() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') || return 1
    [ "${version:-0}" -ge 17 ]
}

available() { [ -n "$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([^(].*\)/\1/p')" ]; }

java_package() {
    local name
    for name in openjdk-17-jre-headless openjdk-17-jdk-headless openjdk-21-jre-headless; do
        if available "$name"; then echo "$name"; return; fi
    done
    echo openjdk-17-jre-headless
}

missing() {
    packages=()
    java_is_there || packages+=("$(java_package)")
    # Debian and Ubuntu split ensurepip, without which no environment can be made, off python3.
    "$python" -c 'import ensurepip' 2>/dev/null || packages+=("$(basename "$python")-venv")
    command -v lua5.4 >/dev/null || packages+=(lua5.4)
    command -v gcc >/dev/null || packages+=(gcc)
    [ -e /usr/include/stdio.h ] || packages+=(libc6-dev)
}

# sudo only where it asks nothing: a password prompt would hang a job without a terminal.
as_root() {
    if [ "$(id -u)" = 0 ]; then echo env
    elif sudo -n true 2>/dev/null; then echo "sudo env"
    else return 1
    fi
}

missing
[ "${#packages[@]}" = 0 ] && exit 0

if command -v apt-get >/dev/null && root=$(as_root); then
    # Fresh images come without package lists.
    $root DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null || true
    missing
    echo "setup: installing ${packages[*]}"
    $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null \
        >/dev/null || true
    missing
    [ "${#packages[@]}" = 0 ] && exit 0
fi

echo "setup: please install these first: apt-get install ${packages[*]}" >&2
# Without Java or venv nothing runs; without lua or gcc those languages are reported as not installed.
case " ${packages[*]} " in
    *jre* | *jdk* | *-venv*) exit 1 ;;
esac
