# Python's http.client against callback-receiver: http_client.py PORT NAME
#
# One connection for everything: callbacks with a length and in chunks, HEAD, GET, refusals in between. Prints
# a JSON line for each exchange, {"step", "status", "body", "length"}, then {"step": "connections", "count"}. Identifiers begin with
# NAME. Asserts nothing itself: the test reads what it prints, and the log.

import http.client
import json
import sys

port, name = int(sys.argv[1]), sys.argv[2]
connections = 0


class Counting(http.client.HTTPConnection):
    """Counts how often a connection had to be made."""

    def connect(self):
        global connections
        connections += 1
        super().connect()


client = Counting("127.0.0.1", port, timeout=20)


def exchange(step, method, target, body=None, fields={}):
    client.request(method, target, body=body, headers=fields)
    answer = client.getresponse()
    text = answer.read().decode()
    print(json.dumps({"step": step, "status": answer.status, "body": text, "length": answer.getheader("Content-Length")}))


def callback(identifier):
    return json.dumps({"request_id": identifier, "whatsapp_message_id": "wamid.1"}).encode()


for index in range(20):
    exchange("length", "POST", "/callback?key=secret", callback(f"{name}-length-{index}"))
for index in range(20):
    # An iterable without a length goes out in chunks (RFC 9112 §7.1), here of every size from 1.
    body = callback(f"{name}-chunks-{index}")
    size = index + 1
    exchange("chunks", "POST", "/callback", (body[at : at + size] for at in range(0, len(body), size)))
exchange("get", "GET", f"/v1/requests/{name}-chunks-19")
exchange("head", "HEAD", f"/v1/requests/{name}-chunks-19")
exchange("missing", "GET", f"/v1/requests/{name}-missing")
exchange("refused", "POST", "/callback", b"no JSON")
exchange("again", "POST", "/callback", callback(f"{name}-length-0"))
print(json.dumps({"step": "connections", "count": connections}))
