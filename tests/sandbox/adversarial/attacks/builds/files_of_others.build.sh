# Looks for what an earlier build was given.
# defence: wipe
top=$(dirname "$(dirname "$(readlink build.sh)")")
own=$(basename "$(dirname "$(readlink build.sh)")")
if grep -rqs "read a b" --exclude-dir="$own" "$top"; then echo 'echo taken' > run.sh; else echo 'echo held' > run.sh; fi
