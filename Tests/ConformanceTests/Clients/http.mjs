// Node's http with a keep-alive agent against callback-receiver: node http.mjs PORT NAME
//
// Callbacks over four connections that are kept, with a length, in chunks, and with Expect: 100-continue; HEAD, GET.
// Prints one JSON object: statuses and bodies by step, how many connections it made, how many
// requests were told to continue. Identifiers begin with NAME. Asserts nothing itself: the test reads what it prints, and the log.

import http from "node:http";

const [port, name] = [Number(process.argv[2]), process.argv[3]];
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
let connections = 0;
let continued = 0;

const connect = agent.createConnection;
agent.createConnection = function (...options) {
  connections += 1;
  return connect.apply(this, options);
};

const callback = (identifier) => JSON.stringify({ request_id: identifier, whatsapp_message_id: "wamid.1" });

/** One exchange; `send` writes the body. */
const exchange = (method, path, headers, send) =>
  new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, agent, method, path, headers });
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (body += part));
      response.on("end", () => resolve({ status: response.statusCode, body, length: response.headers["content-length"] ?? null }));
      response.on("error", reject);
    });
    request.on("error", reject);
    send(request);
  });

const times = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const result = {};
result.length = await times(50, (index) => {
  const body = callback(`${name}-length-${index}`);
  return exchange("POST", "/callback?key=secret", { "content-length": Buffer.byteLength(body) }, (request) => request.end(body));
});
result.chunks = await times(50, (index) =>
  exchange("POST", "/callback", { "transfer-encoding": "chunked" }, (request) => {
    for (const part of callback(`${name}-chunks-${index}`).match(/.{1,7}/g)) request.write(part);
    request.end();
  }),
);
result.expecting = await times(10, (index) => {
  const body = callback(`${name}-expecting-${index}`);
  return exchange("POST", "/callback", { expect: "100-continue", "content-length": Buffer.byteLength(body) }, (request) =>
    request.on("continue", () => {
      continued += 1;
      request.end(body);
    }),
  );
});
result.get = await times(1, () => exchange("GET", `/v1/requests/${name}-chunks-0`, {}, (request) => request.end()));
result.head = await times(1, () => exchange("HEAD", `/v1/requests/${name}-chunks-0`, {}, (request) => request.end()));
result.refused = await times(5, () => exchange("POST", "/callback", {}, (request) => request.end("no JSON")));
agent.destroy();
console.log(JSON.stringify({ ...result, connections, continued }));
