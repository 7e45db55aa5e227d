# Deletes a file that its user could delete.
# defence: landlock
# proof: landlock
# seen: outside
rm -f @SECRET@ 2>/dev/null
echo held
