// Writes without end, or nearly, by a child that has its output.
// defence: output
// verdict: output_limit
// seen: flood
// limits: output_bytes=1048576
const { spawnSync } = require("child_process");
spawnSync("head", ["-c", "20000000", "/dev/zero"], { stdio: "inherit" });
