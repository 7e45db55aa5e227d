# Leaves a file beside its own program for the next case.
# defence: program
# cases: 2
beside=$(dirname "$(readlink main.sh)")
[ -e "$beside/left" ] && echo taken || echo held
(: > "$beside/left") 2>/dev/null
true
