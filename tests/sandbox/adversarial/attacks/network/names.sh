# Reads which sockets with names the machine has.
# defence: network
# levels: namespaces docker
# proof: namespaces root
grep -qs @ABSTRACT@ /proc/net/unix && echo taken || echo held
