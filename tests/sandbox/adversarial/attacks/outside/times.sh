# Makes a file that belongs to its user look old.
# defence: seccomp
# proof: landlock
# seen: outside
touch -d 2001-01-01 @SECRET@ 2>/dev/null
echo held
