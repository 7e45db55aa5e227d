# Becomes another user of the machine, as the first user of a container may.
# defence: user capabilities
# why: who is not root has no use for capabilities, and root none without them
# levels: docker
$> = $< = 1;
print $> == 1 ? "taken\n" : "held\n";
