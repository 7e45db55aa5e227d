// Learns where everything lies in the agent's memory.
// defence: dumpable
const fs = require("fs");
let text = "";
try {
    text = fs.readFileSync(`/proc/${process.ppid}/maps`, "utf8");
} catch (error) {}
console.log(text.includes("heap") ? "taken" : "held");
