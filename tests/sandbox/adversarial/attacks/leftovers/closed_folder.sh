# Leaves a folder that nobody may enter, not even its owner.
# defence: wipe
# cases: 2
[ -e left ] && echo taken || echo held
mkdir left
: > left/file
mkdir -m 0 left/closed "$TMPDIR/closed"
