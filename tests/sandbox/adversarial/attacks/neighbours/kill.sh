# Ends a process of its user's.
# defence: landlock
# proof: landlock
# seen: outside
kill -KILL @VICTIM@ 2>/dev/null
echo held
