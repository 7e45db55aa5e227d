// Changes its own program for the next case, where both belong to one user.
// defence: landlock
// proof: landlock plain
// cases: 2
const fs = require("fs");
try {
    fs.writeFileSync(fs.realpathSync("main.js"), "console.log('taken')\n");
} catch (error) {}
console.log("held");
