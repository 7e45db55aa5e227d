# Makes a process of its user's the last that gets a disk.
# defence: seccomp
# proof: landlock
# seen: outside
ionice -c 3 -p @VICTIM@ > /dev/null 2>&1
echo held
