// Connects to a server of the machine, where it shares the machine's network.
// defence: landlock seccomp
// why: without a socket there is nothing to connect, and Landlock allows no connection either
// proof: landlock
const wire = require("net").connect(Number("@TCP@"), "127.0.0.1");
wire.on("connect", () => { console.log("taken"); wire.destroy(); });
wire.on("error", () => console.log("held"));
