// Ends a process of its user's that is not in its box.
// defence: processes
// proof: namespaces root
// seen: outside
try {
    process.kill(Number("@VICTIM@"), "SIGKILL");
} catch (error) {}
console.log("held");
