# Leaves a folder where the next build wants to write a file.
# defence: wipe
# verdict: compile_limit
# seen: next
rm -rf run.sh
mkdir -p run.sh/full
