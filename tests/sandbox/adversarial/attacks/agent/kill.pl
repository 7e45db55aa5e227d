# Ends the agent.
# defence: processes
# proof: namespaces root
# seen: broken
kill("KILL", getppid());
select(undef, undef, undef, 0.1);
print "held\n";
