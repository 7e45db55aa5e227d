# Leaves a file in the home folder that shells read when they start.
# defence: wipe
# cases: 2
[ -e ~/.profile ] && . ~/.profile || echo held
echo 'echo taken' > ~/.profile
