# Stops itself and is woken after it should have ended.
# defence: wall
# verdict: time_limit
# seen: accepted
# limits: wall_s=0.2
my $own = $$;
if (fork() == 0) {
    select(undef, undef, undef, 0.9);
    kill("CONT", $own);
    exit(0);
}
kill("STOP", $own);
print "held\n";
