# Fills its container's shared memory with more than its disk may hold.
# defence: scratch
# levels: docker
# limits: file_bytes=2097152
for name in 1 2 3; do
    head -c 1500000 /dev/zero > "/dev/shm/$name" 2>/dev/null || { echo held; exit; }
done
echo taken
