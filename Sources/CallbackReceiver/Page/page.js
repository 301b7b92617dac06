// What the page does (API.md §4, GET /): find one request, look at them all, see what comes.
//
// Promises: it says nothing that the API does not say, and asks for no more than it shows. Whatever came from outside is
// put in as text, never as markup, a style or an address. Rows come and go only when the reader asks for it: what arrives
// is counted, and what changes without being asked for stands where it stood. Every string is in `words`.
// The place is in the fragment (#find=…), which no server and no log ever gets.
// Must not know: how the API does any of it, or any other host.
"use strict";

/* ---- Words: {name} is filled in, `one|many` chosen by {n} ---- */

const words = {
  page: {
    name: "callback-receiver",
    sent: "“Sent” means that Crisp sent the message: neither delivered nor read.",
    api: "The API behind this page",
    times: "Times are those of {zone}; point at one for UTC.",
  },
  status: { sent: "Sent", failed: "Failed", overdue: "Overdue", pending: "Waiting", unrecognized: "Not understood" },
  failure: {
    retry_later: "WhatsApp would not deliver it now",
    rate_limit: "too much was sent at once",
    recipient: "this person cannot be reached this way",
    template: "something is wrong with the template",
    request: "something is wrong with the request",
    account: "the WhatsApp account stands in the way",
    billing: "the account’s payment stands in the way",
    unknown: "for a reason that no rule knows",
  },
  class: {
    retry_later: "Later perhaps",
    rate_limit: "Too much at once",
    recipient: "The person",
    template: "The template",
    request: "The request",
    account: "The account",
    billing: "The payment",
    unknown: "No rule knows it",
  },
  find: {
    question: "What became of it?",
    hint: "A request id, a reference, a WhatsApp message id, a session id or a fingerprint.",
    button: "Find",
    asking: "Looking…",
    sent: "Sent {time}.",
    failed: "Failed {time}: {reason}.",
    pending: "Announced {time}, no answer yet, expected by {due}.",
    overdue: "Announced {time}, no answer by {due}.",
    unrecognized: "Answered {time}, but the answer says neither sent nor failed.",
    about: {
      sent: "Crisp has sent it. Whether it was delivered or read is not known here.",
      pending: "This page says so by itself as soon as the callback comes.",
      overdue: "Whether it was sent is not known: the callback may still come, and this page then says so by itself.",
      unrecognized: "The payload is below, as it came.",
    },
    retry: "Try again after {time}.",
    retryNow: "The wait was over {time}: it may be tried again.",
    retrySometime: "The same message may go through later.",
    noRetry: "Waiting alone does not help.",
    said: "What was said",
    code: "code {code}",
    nothing: "Nothing is known under {key}.",
    tried: "It is no request id, reference, WhatsApp message id, session id or fingerprint that came here. Is it complete? If the message went out a moment ago, its callback may be on the way: this page then shows it by itself.",
    several: "{n} request under this {name}.|{n} requests under this {name}.",
    andMore: "The newest {n}; there are more.",
    news: "There is news: show it",
    back: "Overview",
    link: "Copy a link to this",
    again: "Ask again",
  },
  field: {
    request_id: "Request id",
    reference: "Reference",
    whatsapp_message_id: "WhatsApp message id",
    session_id: "Session id",
    crisp_fingerprint: "Fingerprint",
    metadata: "Metadata",
  },
  history: {
    heading: "What happened",
    announcement: "Announced; an answer expected within {time}",
    announcementAs: "Announced as {reference}; an answer expected within {time}",
    overdue: "No answer in time",
    callback: "Callback: {status}",
    payload: "Payload",
    more: "Show what came later",
  },
  copy: { button: "Copy", label: "Copy: {name}", done: "Copied", failed: "Press Ctrl+C to copy" },
  look: {
    range: "Time to look at",
    ranges: { hour: "Hour", day: "Day", week: "Week" },
    heading: { hour: "The last hour", day: "The last 24 hours", week: "The last 7 days" },
    table: "As a table",
    caption: "Requests by their present status and the time of their newest record",
    from: "From",
    chart: "Bars over time: {parts}. The same stands in the table below.",
    peak: "at most {n} in one bar",
    nothing: "nothing",
    last: "Last callback {time}",
    noCallback: "No callback yet",
    empty: "Nothing came in this time.",
  },
  failures: { heading: "Why they failed", none: "Nothing failed in this time.", newest: "Lately: {said}", show: "Show them", label: "Show them: {name}" },
  waiting: { heading: "Waiting longest", none: "No announced request waits for its callback.", more: "{n} wait in all.", due: "expected by {time}" },
  unknown: { heading: "Failures no rule knows", none: "None in this time.", count: "{n} time|{n} times", last: "last {time}", untold: "without a message" },
  refused: {
    heading: "Refused",
    none: "Nothing is in the quarantine.",
    from: "from {peer}",
    count: "{n} time|{n} times",
    body: "Body",
    base64: "Body (base64)",
    more: "There is more. When the cause is mended, callback-receiver log requeue takes them in again.",
    advice: "When the cause is mended, callback-receiver log requeue takes them in again.",
  },
  live: {
    heading: "Latest",
    filter: "Which to show",
    all: "All",
    more: "Show older ones",
    none: "Nothing of this kind.",
    noneYet: "None among the newest.",
    nothing: "Nothing has come yet. The first callback appears here.",
    narrowed: "Failures of the class {name}.",
    widen: "Show all failures",
    news: "{n} new",
    many: "More than {n} new",
    shown: "Up to date",
  },
  connection: { joining: "Connecting…", live: "Live", lost: "No connection since {time}. Trying again…", back: "Connected again" },
  trouble: {
    offline: "The server does not answer. Trying again may help.",
    unsigned: "You are not signed in: load the page again and sign in with a token’s identifier and key.",
    other: "The server cannot answer that now.",
  },
  unit: { second: "{n} second|{n} seconds", minute: "{n} minute|{n} minutes", hour: "{n} hour|{n} hours", day: "{n} day|{n} days" },
  day: { today: "{clock}", yesterday: "yesterday {clock}", tomorrow: "tomorrow {clock}", other: "{day}, {clock}" },
};

/* ---- Bounds ---- */

const rowsAtOnce = 25;
const matchesMax = 20;
const recordsAtOnce = 100;
/** Rows in each of the short lists. */
const shortMax = 5;
/** More than this is not counted any more. */
const newsMax = 999;
/** Of a text in a list, and where it is what one reads, in characters; the payload has the rest. */
const excerptMax = 160;
const quoteMax = 1000;
/** Numbers follow events after this time, in milliseconds. */
const followMilliseconds = 5000;
/** A tab that nobody sees gives its event stream back after this: a browser has six connections to a server. */
const hiddenMilliseconds = 60000;
const patienceMilliseconds = 15000;

/* ---- Text and elements ---- */

const byId = (id) => document.getElementById(id);
const number = (value) => new Intl.NumberFormat("en").format(value);

/** The template's form for `n`, `one|many`. */
function form(template, n) {
  const forms = template.split("|");
  return n === 1 || forms.length === 1 ? forms[0] : forms[1];
}

/** A template with its places filled: strings and elements, for append(). */
function say(template, parts = {}) {
  return form(template, parts.n)
    .split(/\{(\w+)\}/)
    .map((piece, index) => (index % 2 === 0 ? piece : typeof parts[piece] === "number" ? number(parts[piece]) : parts[piece]));
}

/** The same where only text can stand. */
const plain = (template, parts) => say(template, parts).join("");

/** An element. Attributes that are functions listen; those that are null are left out. Children are text or elements. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null));
  return element;
}

/** What came from outside, as text. */
const given = (text, name = "span") => make(name, { class: "given" }, text);
const clip = (text, max) => (text.length > max ? text.slice(0, max) + "…" : text);
const announce = (text) => (byId("said").textContent = text);

function copyButton(text, name, label = words.copy.button) {
  return make("button", {
    type: "button", class: "copy", "aria-label": name && plain(words.copy.label, { name }),
    click: async ({ currentTarget: button }) => {
      let isCopied = true;
      try { await navigator.clipboard.writeText(text); } catch { isCopied = copyThroughField(text); }
      button.textContent = isCopied ? words.copy.done : words.copy.failed;
      announce(button.textContent);
      setTimeout(() => (button.textContent = label), 2000);
    },
  }, label);
}

/** Without https, browsers have no clipboard for pages but the one behind Ctrl+C. */
function copyThroughField(text) {
  const field = make("textarea", { class: "unseen", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  const before = document.activeElement;
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  before?.focus();
  return isCopied;
}

/* ---- Times, in the reader's zone ---- */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exactClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });
const midnight = (date, days = 0) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);

function moment(date, isExact) {
  const now = new Date();
  const days = Math.round((midnight(date) - midnight(now)) / 864e5);
  const name = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? "other";
  const day = (date.getFullYear() === now.getFullYear() ? dayOfYear : dayAndYear).format(date);
  return plain(words.day[name], { clock: (isExact ? exactClock : clock).format(date), day });
}

/** A <time> that says UTC when pointed at. */
function time(when, isExact = false) {
  const date = new Date(when);
  const utc = date.toISOString();
  return make("time", { datetime: utc, title: utc.replace("T", " ").replace("Z", " UTC"), "data-exact": isExact ? "" : null }, moment(date, isExact));
}

/** What was today is yesterday at midnight. */
function renewTimes() {
  for (const element of document.querySelectorAll("time")) {
    const text = moment(new Date(element.dateTime), "exact" in element.dataset);
    if (element.textContent !== text) element.textContent = text;
  }
}

function duration(seconds) {
  const [name, length] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => seconds >= length && seconds % length === 0) ?? ["second", 1];
  return plain(words.unit[name], { n: seconds / length });
}

/* ---- JSON, with every digit ---- */

/** Whole numbers that a JavaScript number cannot hold become strings of their digits. */
function parse(text) {
  const exact = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token);
  return JSON.parse(exact);
}

/** The values of the members `name` inside of `depth` brackets, as they came, but for the space between tokens. */
function rawValues(text, name, depth) {
  const tokens = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const values = [];
  let level = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (/[{[]/.test(tokens[at][0])) level++;
    if (/[}\]]/.test(tokens[at][0])) level--;
    if (level !== depth || tokens[at] !== `"${name}"` || tokens[at + 1] !== ":") continue;
    const start = (at += 2);
    let inside = 0;
    do inside += /[{[]/.test(tokens[at][0]) ? 1 : /[}\]]/.test(tokens[at][0]) ? -1 : 0;
    while (inside > 0 && ++at < tokens.length);
    values.push(indented(tokens.slice(start, at + 1)));
  }
  return values;
}

function indented(tokens) {
  let [text, indent] = ["", ""];
  tokens.forEach((token, index) => {
    if (/[}\]]/.test(token[0])) {
      indent = indent.slice(2);
      if (!/[{[]/.test(tokens[index - 1][0])) text += "\n" + indent;
    }
    text += token === ":" ? ": " : token;
    if (/[{[]/.test(token[0])) indent += "  ";
    if (token === "," || (/[{[]/.test(token[0]) && !/[}\]]/.test(tokens[index + 1]?.[0] ?? ""))) text += "\n" + indent;
  });
  return text;
}

/* ---- The API ---- */

/** Without the credentials that an address may hold: fetch refuses those. */
const base = location.origin + location.pathname.replace(/[^/]*$/, "");
const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));

/** The answer's text. What is thrown has a message for the reader and, where there was an answer, its status. */
async function ask(path, isEnough) {
  let [response, text, patience] = [null, "", new AbortController()];
  const timer = setTimeout(() => patience.abort(), patienceMilliseconds);
  try {
    response = await fetch(base + path, { signal: patience.signal });
    if (response.ok && isEnough) {
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        if (isEnough((text += piece.value))) break;
      }
      patience.abort();
    } else text = await response.text();
  } catch {
    throw new Error(words.trouble.offline);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return text;
  let detail;
  try { detail = JSON.parse(text).detail; } catch { /* A proxy's own answer. */ }
  const message = response.status === 401 ? words.trouble.unsigned : detail ?? words.trouble.other;
  throw Object.assign(new Error(message), { status: response.status });
}

const list = async (parameters) => parse(await ask(`v1/requests?${query(parameters)}`));

/** The oldest requests of a status: an export is oldest first, and read no further than this. */
async function oldest(status, count) {
  const text = await ask(`v1/export?${query({ format: "jsonl", status })}`, (text) => text.split("\n").length > count);
  return text.split("\n").slice(0, -1).slice(0, count).map(parse);
}

/* ---- Rows ---- */

const mark = (status) => make("span", { class: "mark", "data-status": status }, words.status[status]);
const linkTo = (id) => "#" + query({ find: id });

/** A request in a list: when, what, which, and why. */
function row(request, when = request.updated_at, note = "") {
  return make("li", {}, make("a", { href: linkTo(request.request_id) },
    time(when, true), mark(request.status),
    make("span", { class: "which" }, given(request.request_id), request.reference === null ? null : make("span", { class: "given aside" }, request.reference)),
    make("span", { class: "why" }, request.failure ? words.class[request.failure.class] : note)));
}

const none = (text) => make("li", { class: "none" }, text);
const fill = (id, otherwise, rows) => byId(id).replaceChildren(...(rows.length ? rows : [none(otherwise)]));

function trouble(id, error) {
  byId(id).hidden = error === null;
  byId(id).textContent = error === null ? "" : error.message;
}

/* ---- Find ---- */

/** What the answer on the page is about; null in the overview. */
let found = null;

/** Browsers resolve the dots in an address, even when they are encoded: a request of such a name has none. */
const hasAddress = (id) => /^[!-~]{1,256}$/.test(id) && id !== "." && id !== "..";

/** The requests under `key`: as a request id, else as whatever it may be beside. */
async function search(key) {
  if (hasAddress(key)) {
    try {
      const text = await ask(`v1/requests/${encodeURIComponent(key)}`);
      return { requests: [parse(text)], metadata: rawValues(text, "metadata", 1)[0] };
    } catch (error) {
      if (error.status !== 404) throw error;
    }
  }
  const length = new TextEncoder().encode(key).length;
  const names = [];
  if (length <= 128) names.push("reference");
  if (length <= 512) names.push("whatsapp_message_id", "session_id");
  if (/^(0|-?[1-9]\d*)$/.test(key)) names.push("crisp_fingerprint");
  const pages = await Promise.all(names.map((name) => list({ [name]: key, limit: matchesMax })));
  const which = pages.findIndex((page) => page.requests.length > 0);
  if (which < 0) return { requests: [] };
  const { requests, next } = pages[which];
  if (requests.length === 1 && next === null && hasAddress(requests[0].request_id)) return search(requests[0].request_id);
  return { requests, name: names[which], hasMore: next !== null };
}

async function find(key) {
  const asked = (found = { key, requests: [] });
  const place = byId("answer");
  byId("key").value = key;
  place.setAttribute("aria-busy", "true");
  if (place.dataset.key !== key) place.replaceChildren(make("p", { class: "asking" }, words.find.asking));
  place.dataset.key = key;
  let shown;
  try {
    Object.assign(asked, await search(key));
    shown = asked.requests.length === 1 ? await answer(asked.requests[0], asked.metadata)
      : asked.requests.length > 1 ? several(asked) : unknown(key);
  } catch (error) {
    shown = [make("h2", { id: "sentence", class: "trouble" }, error.message), make("p", {}, make("button", { type: "button", click: () => find(key) }, words.find.again))];
  }
  // Somebody has asked for something else meanwhile.
  if (found !== asked) return;
  place.removeAttribute("aria-busy");
  place.replaceChildren(...shown, make("p", { class: "actions" },
    make("a", { href: "#" }, words.find.back), copyButton(location.href, null, words.find.link)));
  document.title = `${byId("sentence").textContent} – ${words.page.name}`;
  announce(byId("sentence").textContent);
}

const unknown = (key) => [
  make("h2", { id: "sentence" }, say(words.find.nothing, { key: given(clip(key, excerptMax)) })), make("p", {}, words.find.tried)];

const several = ({ requests, name, hasMore }) => [
  make("h2", { id: "sentence" }, say(words.find.several, { n: requests.length, name: words.field[name].toLowerCase() })),
  hasMore ? make("p", {}, say(words.find.andMore, { n: requests.length })) : "",
  make("p", { id: "fresh" }),
  make("ol", { class: "rows" }, requests.map((request) => row(request)))];

async function answer(request, metadata) {
  const { status, failure } = request;
  const sentence = say(words.find[status], {
    time: time(request.received_at ?? request.announced_at), due: request.overdue_at && time(request.overdue_at), reason: failure && words.failure[failure.class] });
  return [
    mark(status),
    make("h2", { id: "sentence" }, sentence),
    failure ? verdict(failure, request.received_at) : make("p", { class: "advice" }, words.find.about[status]),
    make("p", { id: "fresh" }),
    facts(request, metadata),
    ...(await history(request.request_id)),
  ];
}

/** What the failure means, what to do, when; then the words it came with. */
function verdict(failure, receivedAt) {
  const after = failure.retry_after_seconds === null ? null : new Date(Date.parse(receivedAt) + failure.retry_after_seconds * 1000);
  const retry = !failure.retryable ? words.find.noRetry : after === null ? words.find.retrySometime : after < new Date() ? words.find.retryNow : words.find.retry;
  const said = [failure.message, failure.reason === failure.message ? null : failure.reason].filter((text) => text !== null);
  return make("div", {},
    make("p", { class: "advice" }, failure.advice, " ", make("strong", {}, say(retry, { time: after && time(after) }))),
    said.length === 0 ? "" : make("figure", { class: "said" },
      make("figcaption", {}, words.find.said, failure.code === null ? "" : ", " + plain(words.find.code, { code: String(failure.code) })),
      said.map((text) => make("blockquote", { class: "given" }, clip(text, quoteMax)))));
}

function facts(request, metadata) {
  const names = ["request_id", "reference", "whatsapp_message_id", "session_id", "crisp_fingerprint"].filter((name) => request[name] !== null);
  const entry = (name, value, text) => make("div", {}, make("dt", {}, words.field[name]), make("dd", {}, value, copyButton(text, words.field[name])));
  return make("dl", { class: "facts" },
    names.map((name) => entry(name, given(String(request[name])), String(request[name]))),
    metadata === undefined || metadata === "{}" ? "" : entry("metadata", given(metadata, "pre"), metadata));
}

/** The records of a request, oldest first, a page at a time. */
async function history(id) {
  if (!hasAddress(id)) return [];
  const steps = make("ol", { class: "history" });
  const more = make("button", { type: "button", click: () => load().catch((error) => announce(error.message)) }, words.history.more);
  let cursor = null;
  async function load() {
    const text = await ask(`v1/requests/${encodeURIComponent(id)}/callbacks?${query({ limit: recordsAtOnce, cursor })}`);
    const page = parse(text);
    const payloads = rawValues(text, "payload", 3);
    for (const record of page.callbacks) steps.append(step(record, record.kind === "callback" ? payloads.shift() : null));
    cursor = page.next;
    more.hidden = cursor === null;
  }
  await load();
  return [make("h3", {}, words.history.heading), steps, more];
}

function step(record, payload) {
  const text = record.kind === "callback" ? say(words.history.callback, { status: words.status[record.status].toLowerCase() })
    : record.kind === "overdue" ? words.history.overdue
    : say(record.reference === null ? words.history.announcement : words.history.announcementAs, { reference: given(record.reference), time: duration(record.overdue_after) });
  return make("li", { "data-status": record.status ?? (record.kind === "overdue" ? "overdue" : "pending") },
    time(record.announced_at ?? record.received_at, true), " ", make("span", {}, text),
    payload === null ? "" : make("details", {}, make("summary", {}, words.history.payload), copyButton(payload, words.history.payload), given(payload, "pre")));
}

/** A record of what is on the page has come. What waits is answered at once; else nothing moves until one asks. */
function tellFound(request) {
  const keys = [request.request_id, request.reference, request.whatsapp_message_id, request.session_id, request.crisp_fingerprint];
  if (!keys.map(String).includes(found.key) && !found.requests.some((known) => known.request_id === request.request_id)) return;
  const isAwaited = found.requests.length === 0 || (found.requests.length === 1 && ["pending", "overdue"].includes(found.requests[0].status));
  if (isAwaited || !byId("fresh")) return find(found.key);
  byId("fresh").replaceChildren(make("button", { type: "button", click: () => find(found.key) }, words.find.news));
}

/* ---- Look ---- */

const statuses = ["sent", "pending", "unrecognized", "overdue", "failed"];
const totalsOrder = ["sent", "failed", "overdue", "pending", "unrecognized"];
/** Whose every so manieth bar has a name below. */
const labelSteps = { hour: 15, day: 6, week: 1 };

/** What the overview shows; in the fragment, but for what is as at first. */
const view = { range: "day", status: "", class: "" };

/** The bars' times: sixty minutes, 24 hours, or seven of the reader's days, the last one now. */
function slots(range) {
  const now = new Date();
  const starts = range === "week" ? [...Array(8)].map((_, index) => midnight(now, index - 6))
    : [...Array((range === "hour" ? 60 : 24) + 1)].map((_, index, all) => {
      const length = range === "hour" ? 6e4 : 36e5;
      return new Date((Math.floor(now / length) + index + 2 - all.length) * length);
    });
  return starts.slice(0, -1).map((start, index) => ({
    start, end: starts[index + 1], label: (range === "week" ? weekday : clock).format(start), sent: 0, failed: 0, unrecognized: 0, pending: 0, overdue: 0 }));
}

const turns = { numbers: 0, lists: 0 };

/** Asks how things stand, and shows it. Where nobody asked for it only the numbers change, each in its place. */
async function look(isAsked) {
  const mine = { numbers: ++turns.numbers, lists: isAsked ? ++turns.lists : 0 };
  const range = view.range;
  const times = slots(range);
  const since = times[0].start.toISOString();
  try {
    const statistics = parse(await ask(`v1/statistics?${query({ since, interval: range === "hour" ? "minute" : "hour" })}`));
    const classes = {};
    for (const bucket of statistics.buckets) {
      const start = new Date(bucket.start);
      // A zone's days may begin within an hour of UTC: such an hour counts for the day in which it ends.
      const slot = times.find(({ end }) => start < end) ?? times[times.length - 1];
      for (const status of statuses) slot[status] += bucket[status];
      for (const [name, count] of Object.entries(bucket.classes)) classes[name] = (classes[name] ?? 0) + count;
    }
    if (mine.numbers === turns.numbers) {
      byId("look-heading").textContent = words.look.heading[range];
      drawTotals(times);
      drawBars(times, range);
      drawTable(times, range);
      for (const count of document.querySelectorAll("#failures b")) count.textContent = number(classes[count.dataset.class] ?? 0);
      trouble("look-trouble", null);
    }
    if (!isAsked) return;
    const names = Object.keys(classes).sort((a, b) => classes[b] - classes[a]);
    const [newest, waiting, refused, last] = await Promise.all([
      Promise.all(names.map((name) => list({ status: "failed", class: name, since, limit: 1 }))),
      oldestOpen(statistics.announced_open),
      ask(`v1/quarantine?${query({ limit: shortMax })}`).then(parse),
      lastCallback(),
    ]);
    if (mine.lists !== turns.lists) return;
    drawFailures(names, classes, newest);
    drawWaiting(waiting, statistics.announced_open);
    drawUnknown(statistics.unknown);
    drawRefused(refused);
    drawLast(last);
  } catch (error) {
    if (mine.numbers === turns.numbers || isAsked) trouble("look-trouble", error);
  }
}

function drawTotals(times) {
  for (const status of totalsOrder) {
    const value = number(times.reduce((sum, slot) => sum + slot[status], 0));
    byId(`total-${status}`).textContent = value;
  }
}

function makeTotals() {
  byId("totals").replaceChildren(
    ...totalsOrder.map((status) => make("div", {}, make("dt", {}, mark(status)), make("dd", { id: `total-${status}` }, "–"))));
}

/** Heights are set through the style object, which the Content-Security-Policy allows: no text becomes a style. */
function drawBars(times, range) {
  const total = (slot) => statuses.reduce((sum, status) => sum + slot[status], 0);
  const peak = Math.max(...times.map(total));
  const parts = (slot) => totalsOrder.filter((status) => slot[status] > 0).map((status) => `${number(slot[status])} ${words.status[status].toLowerCase()}`).join(", ") || words.look.nothing;
  const readout = peak > 0 ? plain(words.look.peak, { n: peak }) : words.look.empty;
  byId("readout").textContent = readout;
  byId("bars").replaceChildren(...times.map((slot) => {
    const bar = make("div", { class: "bar", pointerenter: () => (byId("readout").textContent = `${range === "week" ? slot.label : `${slot.label}–${clock.format(slot.end)}`}: ${parts(slot)}`) });
    for (const status of statuses.filter((status) => slot[status] > 0)) {
      const piece = make("i", { "data-status": status });
      piece.style.height = `${(100 * slot[status]) / peak}%`;
      bar.append(piece);
    }
    return bar;
  }));
  byId("bars").onpointerleave = () => (byId("readout").textContent = readout);
  const sum = times.reduce((sum, slot) => Object.fromEntries(statuses.map((status) => [status, sum[status] + slot[status]])), slots("hour")[0]);
  byId("bars").setAttribute("aria-label", plain(words.look.chart, { parts: parts(sum) }));
  byId("axis").replaceChildren(...times.map((slot, index) => make("span", {}, index % labelSteps[range] === 0 ? slot.label : "")));
}

function drawTable(times, range) {
  const cells = (slot) => totalsOrder.map((status) => make("td", {}, number(slot[status])));
  const full = times.filter((slot) => statuses.some((status) => slot[status] > 0));
  byId("table").replaceChildren(
    make("caption", {}, words.look.caption),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, words.look.from), totalsOrder.map((status) => make("th", { scope: "col" }, words.status[status])))),
    make("tbody", {}, full.map((slot) => make("tr", {}, make("th", { scope: "row" }, range === "week" ? slot.label : time(slot.start)), cells(slot)))));
}

/** Each class with what the newest failure of it was, and what to do about that one. */
function drawFailures(names, classes, newest) {
  fill("failures", words.failures.none, names.map((name, index) => {
    const failure = newest[index].requests[0]?.failure;
    return make("li", {},
      make("p", { class: "item" }, make("b", { "data-class": name }, number(classes[name])), make("span", {}, words.class[name]),
        make("a", { href: "#" + query({ ...view, status: "failed", class: name }), "aria-label": plain(words.failures.label, { name: words.class[name] }) }, words.failures.show)),
      failure ? make("p", {}, failure.advice) : "",
      failure?.message ? make("p", { class: "aside" }, say(words.failures.newest, { said: given(clip(failure.message, excerptMax)) })) : "");
  }));
}

async function oldestOpen(count) {
  const requests = count === 0 ? [] : await oldest("overdue", shortMax);
  return requests.length < Math.min(count, shortMax) ? [...requests, ...(await oldest("pending", shortMax - requests.length))] : requests;
}

function drawWaiting(requests, count) {
  const rows = requests.map((request) => row(request, request.announced_at, say(words.waiting.due, { time: time(request.overdue_at) })));
  if (count > requests.length) rows.push(make("li", { class: "aside" }, plain(words.waiting.more, { n: count })));
  fill("waiting", words.waiting.none, rows);
}

function drawUnknown(texts) {
  fill("unknown", words.unknown.none, texts.slice(0, shortMax).map(({ message, count, last_at }) => make("li", {},
    make("p", {}, message === null ? words.unknown.untold : given(clip(message, excerptMax))),
    make("p", { class: "aside" }, plain(words.unknown.count, { n: count }), ", ", say(words.unknown.last, { time: time(last_at) })))));
}

function drawRefused({ entries, next }) {
  const rows = entries.map((entry) => make("li", {},
    make("p", { class: "item" }, make("b", {}, entry.status), make("span", {}, time(entry.at), " ", plain(words.refused.from, { peer: entry.peer }), entry.count > 1 ? ", " + plain(words.refused.count, { n: entry.count }) : "")),
    make("p", { class: "given" }, entry.detail),
    entry.body === null ? "" : make("details", {}, make("summary", {}, entry.body_encoding === "base64" ? words.refused.base64 : words.refused.body), given(clip(entry.body, quoteMax), "pre"))));
  if (entries.length) rows.push(make("li", { class: "aside" }, next === null ? words.refused.advice : words.refused.more));
  fill("refused", words.refused.none, rows);
}

/** When the newest callback came, by the newest request of each status that a callback gives. */
async function lastCallback() {
  const pages = await Promise.all(["sent", "failed", "unrecognized"].map((status) => list({ status, limit: 1 })));
  return pages.flatMap((page) => page.requests.map((request) => request.received_at)).sort().pop() ?? null;
}

function drawLast(when) {
  byId("last").replaceChildren(...(when === null ? [words.look.noCallback] : say(words.look.last, { time: time(when, true) })));
}

/* ---- Live ---- */

/** Events since the list was made that would be in it. */
let news = [];
let newest = 0;
let cursor = null;
let lists = 0;

const isListed = (request) => (!view.status || request.status === view.status) && (!view.class || request.failure?.class === view.class);

/** Makes the list anew, or adds the page below. */
async function latest(isMore) {
  const turn = ++lists;
  try {
    const known = news.length;
    const page = await list({ status: view.status, class: view.class, limit: rowsAtOnce, cursor: isMore ? cursor : "" });
    if (turn !== lists) return;
    cursor = page.next;
    if (!isMore) {
      newest = Math.max(0, ...page.requests.map((request) => request.sequence));
      // What came before this was asked for is in it; what came meanwhile perhaps.
      news = news.slice(known).filter((request) => request.sequence > newest);
      showNews();
    }
    const rows = page.requests.map((request) => row(request));
    if (isMore) byId("latest").append(...rows);
    else fill("latest", cursor !== null ? words.live.noneYet : view.status ? words.live.none : words.live.nothing, rows);
    if (isMore) rows[0]?.firstChild.focus();
    byId("more").hidden = cursor === null;
    trouble("live-trouble", null);
  } catch (error) {
    if (turn === lists) trouble("live-trouble", error);
  }
}

function showNews() {
  byId("news").hidden = news.length === 0 || found !== null;
  byId("news").textContent = news.length > newsMax ? plain(words.live.many, { n: newsMax }) : plain(words.live.news, { n: news.length });
}

/** The reader asks for what is new. */
async function showLatest() {
  byId("live-heading").focus({ preventScroll: true });
  await Promise.all([latest(false), look(true)]);
  byId("live").scrollIntoView();
  announce(words.live.shown);
}

let following = null;
let isBehind = false;

/** However many events come, the numbers follow at their own pace. */
function follow() {
  isBehind = following !== null;
  following ??= setTimeout(async () => {
    if (found === null) await look(false);
    following = null;
    if (isBehind) follow();
  }, followMilliseconds);
}

function take(event) {
  const request = parse(event.data);
  streamPosition = event.lastEventId;
  if (found !== null) tellFound(request);
  if (request.received_at !== null) drawLast(request.received_at);
  if (isListed(request) && request.sequence > newest && news.length <= newsMax) news.push(request);
  showNews();
  follow();
}

/* ---- The event stream ---- */

let stream = null;
let streamPosition = null;

function connection(state) {
  const place = byId("connection");
  const before = place.dataset.state;
  const show = (state) => {
    place.dataset.state = state;
    place.replaceChildren(...say(words.connection[state], { time: time(new Date(), true) }));
  };
  if (state === before || (state === "live" && before === "back")) return;
  if (state !== "live" || before !== "lost") return show(state);
  show("back");
  setTimeout(() => place.dataset.state === "back" && show("live"), 5000);
  // What could not be asked for meanwhile is asked for now; what was there stays as it is, and counts what is new.
  if (document.querySelector(".trouble:not([hidden])")) go();
  else if (found === null) look(false);
}

/** Opens the stream; it resumes by itself behind the last event, unless the server refused it: then it is opened again. */
function join() {
  stream?.close();
  const own = (stream = new EventSource(`${base}v1/events?${query({ after: streamPosition })}`));
  return new Promise((joined) => {
    own.onopen = () => (connection("live"), joined());
    own.onerror = () => {
      connection("lost");
      joined();
      if (own.readyState === EventSource.CLOSED && own === stream) setTimeout(() => own === stream && join(), 5000);
    };
    for (const status of statuses) own.addEventListener(status, take);
    // What is missing cannot be counted: whoever asks for what is new gets the list as it is.
    own.addEventListener("gap", (event) => {
      streamPosition = event.lastEventId;
      news.push({ sequence: Infinity });
      showNews();
    });
  });
}

let hiding = null;

/** A tab that nobody sees leaves the stream; when it is seen again it shows how things stand then. */
function attend() {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => {
      stream.close();
      stream = null;
    }, hiddenMilliseconds);
  } else if (stream === null) {
    streamPosition = null;
    start();
  }
}

/* ---- The place, and the beginning ---- */

function choices(id, name, options, choose) {
  byId(id).append(...Object.entries(options).map(([value, text]) => make("label", {},
    make("input", { type: "radio", name, value, change: () => choose(value) }), make("span", {}, text))));
}

/** Goes where the fragment says. */
function go() {
  const place = new URLSearchParams(location.hash.slice(1));
  const key = (place.get("find") ?? "").trim();
  const isFinding = key !== "";
  for (const id of ["look", "live"]) byId(id).hidden = isFinding;
  byId("answer").hidden = !isFinding;
  if (isFinding) {
    find(key);
    return showNews();
  }
  found = null;
  byId("answer").replaceChildren();
  document.title = words.page.name;
  const has = (table, value) => (value !== null && Object.hasOwn(table, value) ? value : "");
  Object.assign(view, { range: has(words.look.ranges, place.get("range")) || "day", status: has(words.status, place.get("status")), class: has(words.class, place.get("class")) });
  for (const name of ["range", "status"]) for (const input of document.getElementsByName(name)) input.checked = input.value === view[name];
  byId("narrowed").hidden = !view.class;
  if (view.class) {
    byId("narrowed").replaceChildren(...say(words.live.narrowed, { name: words.class[view.class] }), " ",
      make("a", { href: "#" + query({ ...view, class: "" }) }, words.live.widen));
  }
  news = [];
  newest = 0;
  look(true);
  // Who follows a link to some failures wants to see them.
  return latest(false).then(() => view.class && byId("live-heading").focus());
}

const choose = (change) => (location.hash = query({ ...view, ...change }));

async function start() {
  // First the stream, then the list: so that nothing falls between the two.
  await join();
  await go();
}

for (const element of document.querySelectorAll("[data-words]")) {
  element.textContent = element.dataset.words.split(".").reduce((table, name) => table[name], words);
}
makeTotals();
choices("range", "range", words.look.ranges, (range) => choose({ range }));
choices("filter", "status", { "": words.live.all, ...Object.fromEntries(totalsOrder.map((status) => [status, words.status[status]])) }, (status) => choose({ status, class: "" }));
byId("zone").textContent = plain(words.page.times, { zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const hash = "#" + query({ find: byId("key").value.trim() });
  if (hash === location.hash) go();
  else location.hash = hash;
});
byId("news").addEventListener("click", showLatest);
byId("more").addEventListener("click", () => latest(true));
addEventListener("hashchange", go);
document.addEventListener("visibilitychange", attend);
setInterval(renewTimes, 30000);
// Where there is a keyboard one can type at once.
if (location.hash === "" && matchMedia("(hover: hover)").matches) byId("key").focus();
start();
