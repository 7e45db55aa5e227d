# Fills memory with files in the folders that it may write to.
# defence: measures
# levels: namespaces docker
# verdict: memory_limit
# seen: accepted
# limits: memory_bytes=67108864
head -c 100000000 /dev/zero > "$TMPDIR/much"
sleep 0.1
echo held
