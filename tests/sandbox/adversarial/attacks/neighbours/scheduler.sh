# Gives a process of its user's another scheduler.
# defence: seccomp
# proof: landlock
# seen: outside
chrt -b -p 0 @VICTIM@ > /dev/null 2>&1
echo held
