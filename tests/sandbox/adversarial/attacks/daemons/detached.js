// Leaves a child that is detached, as libraries do it.
// defence: sweep
// cases: 2
const fs = require("fs");
const { spawn } = require("child_process");
let found = false;
for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
        found = found || fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("3.@TOKEN@");
    } catch (error) {}
}
spawn("sh", ["-c", "sleep 3; : 3.@TOKEN@"], { detached: true, stdio: "ignore" }).unref();
setTimeout(() => console.log(found ? "taken" : "held"), 100);
