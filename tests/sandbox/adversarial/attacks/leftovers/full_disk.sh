# Fills all that it may write to, so that nothing is left for the next case.
# defence: wipe
# levels: namespaces docker
# cases: 2
# limits: file_bytes=4194304
read -r _ number nonce
head -c 100000 /dev/zero > "small-$nonce" 2>/dev/null && echo held || echo taken
head -c 3000000 /dev/zero > "large-$nonce" 2>/dev/null
head -c 3000000 /dev/zero > "$TMPDIR/large" 2>/dev/null
true
