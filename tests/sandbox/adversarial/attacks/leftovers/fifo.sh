# Leaves fifos, which whoever reads them would wait for.
# defence: wipe
# cases: 2
[ -p "$TMPDIR/left" ] && echo taken || echo held
mkfifo "$TMPDIR/left" answer there
