# Decides which CPU a process of its user's may use.
# defence: seccomp
# proof: landlock
# seen: outside
# needs: two_cpus
taskset -p 1 @VICTIM@ > /dev/null 2>&1
echo held
