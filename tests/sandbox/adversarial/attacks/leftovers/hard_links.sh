# Leaves one file under many names, in several folders.
# defence: wipe
# cases: 2
[ -e left ] && echo taken || echo held
: > left
mkdir -p a b
ln left a/left
ln left b/left
