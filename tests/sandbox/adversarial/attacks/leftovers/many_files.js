// Leaves a thousand files for the next case to trip over.
// defence: wipe
// cases: 2
const fs = require("fs");
console.log(fs.existsSync("left-999") ? "taken" : "held");
for (let n = 0; n < 1000; n++) fs.writeFileSync(`left-${n}`, "");
