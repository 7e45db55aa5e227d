// Lists a folder that its user could list.
// defence: landlock
// proof: landlock
let names = [];
try {
    names = require("fs").readdirSync("@FOLDER@");
} catch (error) {}
console.log(names.includes("secret") ? "taken" : "held");
