# The page in a real browser: browser.py CASE EXECUTABLE FOLDER
#
# CASE is the name of a function below that stands in CASES; EXECUTABLE is callback-receiver; FOLDER takes a screenshot of each state.
# Ends with 0 when everything was as it should be, else with a traceback that says what was not.
#
# Every state that is looked over (`look_over`) is photographed, has no violation that axe-core knows, is no wider than the window; and
# whatever a case does, the browser reports no error of the script and nothing that the Content-Security-Policy had to refuse.
# The servers are real, on ports of their own, and are stopped by their process ids.

import atexit
import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

import history

CASE, EXECUTABLE, FOLDER = sys.argv[1], *map(os.path.abspath, sys.argv[2:4])
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MILLISECONDS = 20_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)

# Told to nobody but this script: what the policy refused.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Server:
    """A server on a port and in a directory of its own; with `history`, a week lies behind it."""

    def __init__(self, with_history=False):
        self.place = tempfile.TemporaryDirectory()
        self.directory = self.place.name + "/data"
        os.mkdir(self.directory, 0o750)
        self.newest = history.write(self.directory) if with_history else {}
        self.port = 0
        self.token = None
        # Also where the case fails.
        atexit.register(self.close)
        self.start()

    def start(self):
        """On the port that it had before."""
        self.process = subprocess.Popen(
            [EXECUTABLE, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-directory", self.directory],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.place.name)
        line = self.process.stdout.readline()
        self.url = line.removeprefix("listening on ").strip()
        assert self.url, "the server did not start"
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.place.cleanup()

    def create_token(self, scope):
        run = subprocess.run([EXECUTABLE, "token", "create", "--name", "browser", "--scope", scope, "--data-directory", self.directory], capture_output=True, text=True, check=True)
        self.token = [word for word in run.stdout.split() if len(word) >= 16]

    def exchange(self, method, path, body=None):
        """Status and JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        if self.token:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(self.token).encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path):
        status, answer = self.exchange("GET", path)
        assert status == 200, answer
        return answer

    def post(self, payload, status=200):
        answer = self.exchange("POST", "/callback", payload)
        assert answer[0] == status, answer
        return answer[1]

    def put(self, identifier, **announcement):
        answer = self.exchange("PUT", "/v1/requests/" + urllib.parse.quote(identifier, safe=""), announcement)
        assert answer[0] in (200, 201), answer


def sent(identifier, number=1):
    return {"error": False, "reason": "request_sent", "data": {
        "request_id": identifier, "crisp_fingerprint": 163239623329114 + number, "whatsapp_message_id": f"wamid.{identifier}", "session_id": f"session_{identifier}"}}


def failed(identifier, message="(#131049) This message was not delivered to maintain healthy ecosystem engagement."):
    return {"request_id": identifier, "message": message}


class Reader:
    """Somebody with a browser, and what went wrong in it."""

    def __init__(self, browser):
        self.browser, self.problems, self.contexts = browser, [], []

    @contextlib.contextmanager
    def at(self, server, place="", width=1280, height=900, scheme="light", **options):
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="Europe/Paris", reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.add_init_script(WATCH)
        page = context.new_page()
        self.watch(page)
        page.goto(server.url + "/" + place)
        expect(page.locator("#connection")).to_have_text("Live")
        yield page
        self.problems += page.evaluate("refused")
        assert self.problems == [], self.problems
        context.close()

    def watch(self, page):
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        # An id that is not known is a 404, and a server that was stopped does not answer: the browser says so on its console.
        page.on("console", lambda message: message.type in ("error", "warning") and not message.text.startswith("Failed to load resource")
                and self.problems.append(f"console: {message.text}"))


def look_over(page, name):
    """A photograph, for people; the rules of accessibility and of width, for everybody."""
    refused = page.evaluate("refused.length")
    # From the top: what sticks there would else stand in the middle of the picture.
    place = page.evaluate("scrollY")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=f"{FOLDER}/{name}.png", full_page=True)
    page.evaluate("(place) => scrollTo(0, place)", place)
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], f"{name}: {width[0]} wide in a window of {width[1]}"
    violations = Axe().run(page).response["violations"]
    assert violations == [], f"{name}: " + "; ".join(f"{one['id']}: {one['help']}: {[(node['target'], node['any'][:1]) for node in one['nodes'][:3]]}" for one in violations)
    # What axe itself tries is none of the page's doing.
    page.evaluate("(count) => { refused.length = count }", refused)


def contrasts(page):
    """axe reads text; this is about what is drawn, by the names that the style gives colours."""
    root = page.evaluate("Object.fromEntries([...document.styleSheets[0].cssRules].filter((rule) => rule.selectorText === ':root')"
                         ".flatMap((rule) => [...rule.style]).filter((name) => name.startsWith('--')).map((name) => [name.slice(2), getComputedStyle(document.documentElement).getPropertyValue(name).trim()]))")

    def luminance(colour):
        parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        return sum(share * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for share, part in zip((0.2126, 0.7152, 0.0722), parts))

    def contrast(one, other):
        darker, lighter = sorted(map(luminance, (root[one], root[other])))
        return (lighter + 0.05) / (darker + 0.05)

    for name in [name for name in root if root[name].startswith("#") and name not in ("paper", "raised", "line")]:
        least = 3 if name.startswith("bar-") else 4.5
        assert contrast(name, "paper") >= least, (name, root[name], contrast(name, "paper"))
    assert contrast("soft", "raised") >= 4.5 and contrast("ink", "raised") >= 4.5


def text(page, selector):
    return " ".join(page.locator(selector).inner_text().split())


# ---- Find


def find(reader):
    server = Server()
    server.put("6ea55176", reference="order-1042", overdue_after=300, metadata={"customer": 7, "balance": 1})
    server.post({**sent("6ea55176"), "exact": 0})
    server.exchange("POST", "/callback", b'{"request_id":"digits","whatsapp_message_id":"wamid.digits","crisp_fingerprint":123456789012345678901234567890,"n":[1.50,{}]}')
    server.post(failed("limited"))
    server.post(failed("closed", "(#132001) Template name does not exist in the translation"))
    server.post(failed("odd", "The carrier pigeon returned"))
    server.post({"request_id": "strange", "note": 1})
    server.put("waiting", reference="order-7", overdue_after=600)
    server.put("late", reference="order-8", overdue_after=1)
    server.put("twin-1", reference="twins")
    server.put("twin-2", reference="twins")
    server.post(sent("a/b?c&d=1+1%", 2))
    server.post(sent(".", 3))
    while server.get("/v1/requests/late")["status"] != "overdue":
        time.sleep(0.2)
    with reader.at(server, permissions=["clipboard-read", "clipboard-write"]) as page:
        # By keyboard alone: the field has the focus.
        page.keyboard.type("  6ea55176 ")
        page.keyboard.press("Enter")
        expect(page.locator("#sentence")).to_have_text(re.compile(r"^Sent \d\d:\d\d\.$"))
        expect(page.locator("#said")).to_have_text(re.compile("^Sent"))
        assert urllib.parse.urlparse(page.url).fragment == "find=6ea55176"
        assert page.title().startswith("Sent ")
        stamp = page.locator("#sentence time")
        assert stamp.get_attribute("title") == server.get("/v1/requests/6ea55176")["received_at"].replace("T", " ").replace("Z", " UTC")
        facts = text(page, ".facts")
        for fact in ("6ea55176", "order-1042", "wamid.6ea55176", "session_6ea55176", "163239623329115", '"customer": 7'):
            assert fact in facts, facts
        steps = page.locator(".history > li")
        expect(steps).to_have_count(2)
        expect(steps.nth(0)).to_contain_text("Announced as order-1042; an answer expected within 5 minutes")
        expect(steps.nth(1)).to_contain_text("Callback: sent")
        payload = steps.nth(1).locator("pre")
        expect(payload).not_to_be_visible()
        look_over(page, "find-sent")
        steps.nth(1).locator("summary").press("Enter")
        expect(payload).to_be_visible()
        assert json.loads(payload.inner_text()) == {**sent("6ea55176"), "exact": 0}
        look_over(page, "find-sent-payload")
        page.get_by_role("button", name="Copy: Reference").press("Enter")
        expect(page.locator("#said")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "order-1042"
        page.get_by_role("button", name="Copy a link to this").click()
        page.wait_for_function("navigator.clipboard.readText().then((text) => text === location.href)")
        for key in ("order-1042", "wamid.6ea55176", "session_6ea55176", "163239623329115"):
            page.locator("#key").fill(key)
            page.locator("#find button").click()
            expect(page.locator(".facts")).to_contain_text("6ea55176")
            expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
            expect(page.locator("#answer")).not_to_have_attribute("aria-busy", "true")
        page.go_back()
        expect(page.locator("#key")).to_have_value("session_6ea55176")
    cases = [
        ("limited", r"^Failed \d\d:\d\d: WhatsApp would not deliver it now\.$", "wait at least a day", r"Try again after tomorrow \d\d:\d\d\."),
        ("closed", r"^Failed \d\d:\d\d: something is wrong with the template\.$", "no approved template", "Waiting alone does not help."),
        ("odd", r"^Failed \d\d:\d\d: for a reason that no rule knows\.$", "", "The carrier pigeon returned"),
        ("strange", r"^Answered \d\d:\d\d, but the answer says neither sent nor failed\.$", "payload is below", ""),
        ("waiting", r"^Announced \d\d:\d\d, no answer yet, expected by .*\d\d:\d\d\.$", "", "order-7"),
        ("late", r"^Announced \d\d:\d\d, no answer by .*\d\d:\d\d\.$", "may still come", "No answer in time"),
        ("a/b?c&d=1+1%", r"^Sent \d\d:\d\d\.$", "", ""),
        ("nobody", r"^Nothing is known under nobody\.$", "", ""),
        ("session_.", r"^Sent \d\d:\d\d\.$", "", ""),
        ("..", r"^Nothing is known under \.\.\.$", "", ""),
        ("twins", r"^2 requests under this reference\.$", "twin-1", "twin-2"),
    ]
    for index, (key, sentence, *parts) in enumerate(cases):
        # As a colleague gets it: by a link.
        link = "#" + urllib.parse.urlencode({"find": key})
        with reader.at(server, link, scheme="dark" if index % 2 else "light", **({"width": 390, "height": 844} if index % 3 == 0 else {})) as page:
            expect(page.locator("#sentence")).to_have_text(re.compile(sentence))
            for part in parts:
                expect(page.locator("#answer")).to_contain_text(re.compile(part) if "\\" in part else part)
            look_over(page, "find-" + (re.sub(r"\W+", "-", key).strip("-") or "dots"))
    with reader.at(server, "#find=digits") as page:
        expect(page.locator(".facts")).to_contain_text("123456789012345678901234567890")
        page.locator("#answer summary").click()
        expect(page.locator(".history pre")).to_contain_text('"n": [\n    1.50,\n    {}\n  ]', use_inner_text=True)
    with reader.at(server, "#find=twins") as page:
        page.locator(".rows a").first.press("Enter")
        expect(page.locator("#sentence")).to_have_text(re.compile("^Announced"))
        page.get_by_role("link", name="Overview").click()
        expect(page.locator("#look")).to_be_visible()
        expect(page.locator("#answer")).to_be_hidden()
    return server


def await_answer(reader):
    """What is waited for appears by itself; what has an answer already changes when one asks."""
    server = Server()
    server.put("soon", reference="order-1")
    with reader.at(server, "#find=soon") as page:
        expect(page.locator("#sentence")).to_contain_text("no answer yet")
        server.post(sent("soon"))
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
        expect(page.locator("#said")).to_have_text(re.compile("^Sent"))
        server.post(sent("other", 2))
        server.post(failed("soon"))
        news = page.get_by_role("button", name="There is news: show it")
        expect(news).to_be_visible()
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
        look_over(page, "find-news")
        news.click()
        expect(page.locator("#sentence")).to_have_text(re.compile("^Failed"))
        expect(page.locator(".history > li")).to_have_count(3)
    with reader.at(server, "#find=wamid.tomorrow") as page:
        expect(page.locator("#sentence")).to_contain_text("Nothing is known")
        server.post(sent("tomorrow"))
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
    return server


# ---- Look


def look(reader):
    server = Server(with_history=True)
    server.post({"no": "identifier"}, status=422)
    asked = []
    with reader.at(server) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        for index, (name, interval) in enumerate([("Day", "hour"), ("Week", "hour"), ("Hour", "minute")]):
            if index > 0:
                # The arrow keys choose, as in any group of radio buttons.
                page.locator("#range input:checked").press("ArrowRight")
                page.wait_for_url(f"**range={name.lower()}*")
            expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()
            expect(page.locator("#look-heading")).to_have_text({"Day": "The last 24 hours", "Week": "The last 7 days", "Hour": "The last hour"}[name])
            expect(page.locator("#look .trouble")).to_be_hidden()
            expect(page.locator(".bar")).to_have_count({"Day": 24, "Week": 7, "Hour": 60}[name])
            since = next(urllib.parse.parse_qs(urllib.parse.urlparse(url).query)["since"][0] for url in reversed(asked) if "/v1/statistics?" in url)
            statistics = server.get("/v1/statistics?" + urllib.parse.urlencode({"since": since, "interval": interval}))
            for status in ("sent", "failed", "overdue", "pending", "unrecognized"):
                count = sum(bucket[status] for bucket in statistics["buckets"])
                expect(page.locator(f"#total-{status}")).to_have_text(f"{count:,}")
                # What the table says is what the bars show.
                column = ["sent", "failed", "overdue", "pending", "unrecognized"].index(status)
                cells = page.locator("#table tbody tr").evaluate_all(f"(rows) => rows.map((row) => Number(row.cells[{column + 1}].textContent.replace(',', '')))")
                assert sum(cells) == count, (name, status, cells, count)
            classes = {}
            for bucket in statistics["buckets"]:
                for key, count in bucket["classes"].items():
                    classes[key] = classes.get(key, 0) + count
            expect(page.locator("#failures .item")).to_have_count(len(classes))
            expect(page.locator("#failures .item b")).to_have_text([f"{count:,}" for count in sorted(classes.values(), reverse=True)])
            look_over(page, "look-" + name.lower())
        page.goto(server.url + "/#range=week")
        expect(page.locator("#look-heading")).to_have_text("The last 7 days")
        waiting = sorted((moment, identifier) for identifier, (moment, kind, _) in server.newest.items() if kind == "overdue")
        expect(page.locator("#waiting a")).to_have_count(5)
        # By `expect`, here as elsewhere, for a list may be drawn anew between finding it and reading it.
        expect(page.locator("#waiting .which > :first-child")).to_have_text([identifier for _, identifier in waiting[:5]])
        expect(page.locator("#unknown")).to_contain_text("The carrier pigeon returned with the letter still attached")
        expect(page.locator("#refused")).to_contain_text("request_id")
        last = max(moment for moment, kind, _ in server.newest.values() if kind == "callback")
        expect(page.locator("#last time")).to_have_attribute("datetime", history.timestamp(last))
        page.locator("#look summary").first.click()
        page.locator("#refused summary").click()
        expect(page.locator("#refused pre")).to_have_text('{"no": "identifier"}')
        look_over(page, "look-table")
        # To the failures of one class, and from there to one of them.
        page.get_by_role("link", name="Show them: The template").click()
        expect(page.locator("#narrowed")).to_contain_text("Failures of the class The template.")
        expect(page.locator("#latest .why").first).to_have_text("The template")
        expect(page.locator("#latest .why").filter(has_not_text=re.compile(r"^\s*The template\s*$"))).to_have_count(0)
        look_over(page, "look-class")
        # Never more than is shown; nothing of anybody else.
        for url in asked:
            assert url.startswith(server.url + "/") or url.startswith("data:image/svg"), url
            limit = urllib.parse.parse_qs(urllib.parse.urlparse(url).query).get("limit")
            assert limit is None or int(limit[0]) <= 25, url
            assert "/v1/statistics" not in url or "since=" in url, url
            assert "cursor=" not in url, url
    for scheme, width in (("dark", 1280), ("light", 390), ("dark", 320)):
        with reader.at(server, "#range=week", width=width, scheme=scheme) as page:
            expect(page.locator("#failures .item").first).to_be_visible()
            look_over(page, f"overview-{scheme}-{width}")
            contrasts(page)
            assert page.evaluate("document.getAnimations().length") == 0
    empty = Server()
    with reader.at(empty) as page:
        expect(page.locator("#latest")).to_have_text("Nothing has come yet. The first callback appears here.")
        look_over(page, "overview-empty")
    empty.close()
    return server


# ---- Live


def live(reader):
    # When the hour turns, an hour leaves the numbers of the last 24: that must not happen while they are compared.
    left = 3600 - time.time() % 3600
    time.sleep(left if left < 40 else 0)
    server = Server(with_history=True)
    with reader.at(server, height=700) as page:
        rows = page.locator("#latest li")
        expect(rows).to_have_count(25)
        expect(page.locator("#failures .item").first).to_be_visible()
        before = page.locator("#latest").inner_text()
        rows.nth(12).scroll_into_view_if_needed()
        place = page.evaluate("[scrollY, document.querySelectorAll('#latest li')[12].getBoundingClientRect().top]")
        count = int(page.locator("#total-sent").inner_text().replace(",", ""))
        for number in range(3):
            server.post(sent(f"fresh-{number}", number))
        news = page.get_by_role("button", name="3 new")
        expect(news).to_be_visible()
        # The numbers follow where they stand, and nothing moves.
        expect(page.locator("#total-sent")).to_have_text(f"{count + 3:,}")
        assert page.locator("#latest").inner_text() == before
        assert page.evaluate("[scrollY, document.querySelectorAll('#latest li')[12].getBoundingClientRect().top]") == place
        look_over(page, "live-news")
        news.press("Enter")
        expect(rows.first).to_contain_text("fresh-2")
        expect(rows).to_have_count(25)
        expect(news).to_be_hidden()
        assert page.evaluate("document.activeElement.id") == "live-heading"
        look_over(page, "live-shown")
        page.get_by_role("button", name="Show older ones").press("Enter")
        expect(rows).to_have_count(50)
        assert page.evaluate("document.activeElement === document.querySelectorAll('#latest a')[25]")
        # Only what is looked at counts.
        page.locator("#filter label", has_text="Failed").click()
        expect(page.locator("#latest .mark").first).to_have_text("Failed")
        server.post(sent("fresh-4", 4))
        server.post(failed("broken"))
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        page.get_by_role("button", name="1 new").click()
        expect(rows.first).to_contain_text("broken")
        look_over(page, "live-failed")
    return server


def lost(reader):
    """The server goes and comes; what came meanwhile is not missed."""
    server = Server()
    server.post(sent("before"))
    resumed = []
    with reader.at(server) as page:
        page.on("request", lambda request: "/v1/events" in request.url and resumed.append(request.all_headers().get("last-event-id")))
        expect(page.locator("#latest li")).to_have_count(1)
        server.post(sent("position", 2))
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        server.stop()
        mark = page.locator("#connection")
        expect(mark).to_have_text(re.compile(r"^No connection since \d\d:\d\d:\d\d\. Trying again…$"))
        assert page.get_by_role("status").filter(has_text="No connection").count() == 1
        look_over(page, "lost")
        page.locator("#key").fill("before")
        page.keyboard.press("Enter")
        expect(page.locator("#sentence")).to_have_text("The server does not answer. Trying again may help.")
        look_over(page, "lost-find")
        server.start()
        expect(mark).to_have_text("Connected again")
        # What could not be answered is asked again by itself.
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
        look_over(page, "back")
        page.get_by_role("link", name="Overview").click()
        expect(mark).to_have_text("Live")
        expect(page.locator("#latest li")).to_have_count(2)
        server.post(sent("after", 3))
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        assert any(re.fullmatch(r"[0-9a-f]+-2", identifier or "") for identifier in resumed), resumed
    return server


# ---- Who may look, and what they are shown


def sign_in(reader):
    server = Server()
    server.post(sent("secret-business"))
    server.post({"no": "identifier"}, status=422)
    server.create_token("read")
    identifier, key = server.token
    context = reader.browser.new_context()
    for credentials in (None, {"username": identifier, "password": "wrong"}):
        with contextlib.closing(reader.browser.new_context(http_credentials=credentials)) as context:
            for path in ("/", "/page.css", "/page.js"):
                answer = context.request.get(server.url + path)
                assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic realm="), (path, answer.status)
    with reader.at(server, http_credentials={"username": identifier, "password": key}) as page:
        expect(page.locator("#latest li")).to_have_count(1)
        expect(page.locator("#refused .item")).to_have_count(1)
        # Bodies are for tokens of scope write.
        expect(page.locator("#refused summary")).to_have_count(0)
        server.post(sent("second", 2))
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        page.locator("#key").fill("secret-business")
        page.keyboard.press("Enter")
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
        assert key not in page.content() and key not in page.evaluate("document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")
        look_over(page, "signed-in")
        # The token is revoked while the page is open: it says what to do.
        subprocess.run([EXECUTABLE, "token", "revoke", identifier, "--data-directory", server.directory], check=True, capture_output=True)
        server.token = None
        while server.exchange("GET", "/v1/requests")[0] != 401:
            time.sleep(0.1)
        page.locator("#key").fill("second")
        page.keyboard.press("Enter")
        expect(page.locator("#sentence")).to_contain_text("You are not signed in")
        look_over(page, "signed-out")
    # As one types it into the address bar.
    server.create_token("write")
    identifier, key = server.token
    with reader.at(server, http_credentials={"username": identifier, "password": key}) as page:
        page.goto(server.url.replace("//", f"//{identifier}:{key}@") + "/#find=second")
        expect(page.locator("#sentence")).to_have_text(re.compile("^Sent"))
        assert key not in page.evaluate("location.href")
    return server


MARKUP = [
    "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "javascript:alert(3)", "\"'><svg/onload=alert(4)>", "<style>*{display:none}</style>",
    "{time}<b>bold</b>&lt;i&gt;", "<a href=javascript:alert(5)>here</a>", "\u202eright to left\u2066", "<iframe srcdoc='<script>alert(6)</script>'></iframe>",
]


def markup(reader):
    """Whatever a callback, an announcement or a refused body holds is text."""
    server = Server()
    for index, text in enumerate(MARKUP):
        name = re.sub(r"[^!-~]", "-", text)
        server.put(name, reference=text, metadata={text: {text: [text]}})
        server.post({"request_id": name, "whatsapp_message_id": text, "session_id": text, "crisp_fingerprint": index + 1, text: {text: text}})
        server.post({"request_id": f"failed-{index}-{name}", "message": text, "reason": text + " ", "error": {"message": text, text: text}, "session_id": text})
        server.post({"request_id": f"strange-{index}", text: text})
        server.post({text: text}, status=422)
        server.exchange("POST", "/callback", text.encode())
        server.put(f"waiting-{index}-{name}", reference=text)

    def inert(page):
        for selector in ("main img", "main svg", "main iframe", "main style", "main script", "main b:not(.item b)", "[onerror]", "[onload]", "[style]:not([style='']):not(.bar i)"):
            found = page.locator(selector).evaluate_all("(elements) => elements.map((element) => element.outerHTML)")
            assert found == [], (selector, found)
        for link in page.locator("a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))"):
            assert link.startswith("#") or link == "openapi.json", link

    with reader.at(server, width=390) as page:
        for listed in ("#latest", "#unknown", "#waiting", "#refused"):
            expect(page.locator(listed)).to_contain_text("alert(")
        for summary in page.locator("#refused summary").all():
            summary.click()
        inert(page)
        look_over(page, "markup-overview")
        server.post({"request_id": MARKUP[0].replace(" ", "-"), "message": MARKUP[1]})
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        page.get_by_role("button", name="1 new").click()
        inert(page)
    with reader.at(server) as page:
        for index, text in enumerate(MARKUP):
            name = re.sub(r"[^!-~]", "-", text)
            for number, key in enumerate((name, f"failed-{index}-{name}", text, text + "?")):
                page.goto(server.url + "/#" + urllib.parse.urlencode({"find": key}))
                expect(page.locator("#answer:not([aria-busy]) #sentence")).to_be_visible()
                expect(page.locator("#key")).to_have_value(key)
                expect(page.locator("#answer")).to_contain_text("alert(" if "alert" in text else text[1:6])
                for summary in page.locator("#answer summary").all():
                    summary.click()
                inert(page)
                if index < 2:
                    page.set_viewport_size({"width": 320 if number == 0 else 1280, "height": 900})
                    look_over(page, f"markup-{index}-{number}")
    return server


CASES = {"find": find, "await": await_answer, "look": look, "live": live, "lost": lost, "sign-in": sign_in, "markup": markup}

os.makedirs(FOLDER, exist_ok=True)
with sync_playwright() as playwright:
    # Root has no sandbox, and a container little shared memory.
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
    try:
        CASES[CASE](Reader(browser)).close()
    finally:
        browser.close()
