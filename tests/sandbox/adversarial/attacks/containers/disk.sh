# Fills its container's disk with several files, each of which it may write.
# defence: scratch
# levels: docker
# limits: file_bytes=2097152
for name in 1 2 3; do
    head -c 1500000 /dev/zero > "$name" 2>/dev/null || { echo held; exit; }
done
echo taken
