// Fills its folders with empty files.
// defence: scratch
// levels: namespaces docker
// limits: file_bytes=4194304
const fs = require("fs");
let made = 0;
try {
    for (; made < 1500; made++) fs.writeFileSync(`empty-${made}`, "");
} catch (error) {}
console.log(made === 1500 ? "taken" : "held");
