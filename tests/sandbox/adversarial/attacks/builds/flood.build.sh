# Writes without end, or nearly, while it is built.
# defence: output
# verdict: compile_limit
# seen: flood
echo 'echo held' > run.sh
yes | head -c 110000000
