# Fills its folders with several files, each of which it may write.
# defence: scratch
# levels: namespaces docker
# limits: file_bytes=2097152
for n in 1 2 3; do
    head -c 1000000 /dev/zero > "$TMPDIR/part-$n" 2>/dev/null || { echo held; exit; }
done
echo taken
