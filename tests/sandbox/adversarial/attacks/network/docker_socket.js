// Connects to a socket that lies in the machine's files, as an engine of containers has one.
// defence: seccomp
// proof: landlock
const wire = require("net").connect({ path: "@SOCKET@" });
wire.on("connect", () => { console.log("taken"); wire.destroy(); });
wire.on("error", () => console.log("held"));
