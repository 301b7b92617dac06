// Node's http2 against callback-receiver, on one session: node http2.mjs many|large|goaway PORT NAME
//
//   many     200 callbacks at once, a third of them cancelled by the client as soon as they are sent, then a PING and a GET of
//            each: {"posted": [status or "cancelled"…], "found": [status…], "pinged"}
//   large    four GETs at once of all callbacks of NAME, read slowly: {"statuses", "same", "body"}, the first's body
//   goaway   a callback with half its body sent, then "ready"; the other half after the server's GOAWAY, and one more
//            request, which must not be sent any more: {"status", "goaway": [code…], "refused": true, "closed": true}
//
// Asserts nothing itself: the test reads what it prints, and the log. A session error ends it with an exception.

import http2 from "node:http2";

const [mode, port, name] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const session = http2.connect(`http://127.0.0.1:${port}`);
const callback = (identifier) => JSON.stringify({ request_id: identifier, whatsapp_message_id: "wamid.1" });
const post = { ":method": "POST", ":path": "/callback?key=secret" };

/** What comes on a stream, to its end. */
const whole = (stream, eachPart = () => {}) =>
  new Promise((resolve, reject) => {
    let status = "cancelled";
    let body = "";
    stream.setEncoding("utf8");
    stream.on("response", (fields) => (status = fields[":status"]));
    stream.on("data", (part) => {
      body += part;
      eachPart(stream);
    });
    stream.on("error", reject);
    stream.on("close", () => resolve({ status, body }));
  });

const times = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const many = async () => {
  const posted = await times(200, (index) => {
    const stream = session.request(post);
    stream.end(callback(`${name}-${index}`));
    if (index % 3 === 0) stream.close(http2.constants.NGHTTP2_CANCEL);
    return whole(stream);
  });
  const pinged = await new Promise((resolve) => session.ping((error) => resolve(error === null)));
  const found = await times(200, (index) => whole(session.request({ ":path": `/v1/requests/${name}-${index}` })));
  return { posted: posted.map((answer) => answer.status), found: found.map((answer) => answer.status), pinged };
};

const large = async () => {
  const pause = (stream) => {
    stream.pause();
    setTimeout(() => stream.resume(), 1);
  };
  // A server that holds much for this client already may refuse a stream unprocessed: to be sent again (RFC 9113 §8.7).
  const get = () =>
    whole(session.request({ ":path": `/v1/requests/${name}/callbacks?limit=1000` }), pause).catch((error) => {
      if (error.message.includes("NGHTTP2_REFUSED_STREAM")) return new Promise((resolve) => setTimeout(resolve, 20)).then(get);
      throw error;
    });
  const answers = await times(4, get);
  const [{ body }] = answers;
  return { statuses: answers.map((answer) => answer.status), same: answers.every((answer) => answer.body === body), body };
};

const goaway = async () => {
  const codes = [];
  const body = callback(name);
  const stream = session.request({ ...post, "content-length": Buffer.byteLength(body) });
  const answer = whole(stream);
  const closed = new Promise((resolve) => session.on("close", () => resolve(true)));
  const told = new Promise((resolve) =>
    session.on("goaway", (code) => {
      codes.push(code);
      resolve();
    }),
  );
  stream.write(body.slice(0, 10));
  // The server has the first half when it answers what was sent after it.
  await new Promise((resolve) => session.ping(resolve));
  console.log("ready");
  await told;
  let refused = false;
  try {
    session.request({ ":path": "/healthz" }).on("error", () => {});
  } catch {
    refused = true;
  }
  stream.end(body.slice(10));
  return { status: (await answer).status, goaway: codes, refused, closed: await closed };
};

const result = await { many, large, goaway }[mode]();
session.close();
console.log(JSON.stringify(result));
