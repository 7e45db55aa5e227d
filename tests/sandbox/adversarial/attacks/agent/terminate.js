// Asks the agent to end, where both belong to one user.
// defence: landlock
// proof: landlock plain
// seen: broken
try {
    process.kill(process.ppid, "SIGTERM");
} catch (error) {}
setTimeout(() => console.log("held"), 100);
