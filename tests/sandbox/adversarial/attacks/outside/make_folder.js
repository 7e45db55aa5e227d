// Makes a folder where its user could make one.
// defence: landlock
// proof: landlock
// seen: outside
try {
    require("fs").mkdirSync("@FOLDER@/left");
} catch (error) {}
console.log("held");
