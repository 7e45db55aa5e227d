# Leaves a folder among the devices of its box for the next case.
# defence: read_only
# proof: namespaces plain
# cases: 2
[ -d /dev/left ] && echo taken || echo held
mkdir /dev/left 2>/dev/null || true
