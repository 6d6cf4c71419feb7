const { appendFileSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");

const visits = `${process.env.CACHE}/visits.txt`;

createServer((request, response) => {
  if (request.url === "/health") {
    response.end("ok\n");
    return;
  }
  appendFileSync(visits, "x");
  response.end(`Hello! This is visit ${readFileSync(visits, "utf8").length}.\n`);
}).listen(process.env.PORT);
