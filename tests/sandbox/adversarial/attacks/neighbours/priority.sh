# Makes a process of its user's the last that gets a CPU.
# defence: seccomp
# proof: landlock
# seen: outside
renice -n 19 -p @VICTIM@ > /dev/null 2>&1
echo held
