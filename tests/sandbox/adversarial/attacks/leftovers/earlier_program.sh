# Looks for the program that ran here before: somebody else's solution of the same task.
# defence: wipe
top=$(dirname "$(dirname "$(readlink main.sh)")")
grep -rq "secret of another" --exclude-dir="$(basename "$(dirname "$(readlink main.sh)")")" "$top" && echo taken || echo held
