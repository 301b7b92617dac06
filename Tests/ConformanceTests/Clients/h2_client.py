# Python's h2 against callback-receiver, on one connection: h2_client.py many|window|goaway PORT NAME
#
#   many     200 callbacks, as many streams at once as the server allows, then a GET of each: {"posted": [status…],
#            "found": [status…], "streams_max": n}
#   window   GET of all callbacks of NAME through windows of 1,000 bytes, taken a frame at a time, with small GETs on other streams
#            while its window is shut: {"status", "small": [status…], "body", "frame_bytes_max"}
#   goaway   one callback, then "ready", then what the server says when it is told to stop: {"status", "goaway": [[error code,
#            last stream]…], "ended": true}
#
# Asserts nothing itself but what the protocol forbids: h2 ends with an exception then.

import json
import socket
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings

mode, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Client:
    """One connection, and what has come on each of its streams."""

    def __init__(self, window_bytes=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        if window_bytes:
            values = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window_bytes}
            self.session.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self.session.initiate_connection()
        self.statuses, self.bodies, self.ended, self.taken = {}, {}, set(), {}
        self.frame_bytes_max, self.goaways, self.is_open = 0, [], True
        # Streams whose DATA is kept without opening their window again.
        self.held = set()
        self.flush()

    def flush(self):
        self.socket.sendall(self.session.data_to_send())

    def request(self, method, target, body=None):
        stream = self.session.get_next_available_stream_id()
        fields = [(":method", method), (":path", target), (":scheme", "http"), (":authority", "127.0.0.1")]
        if body is not None:
            fields.append(("content-length", str(len(body))))
        self.session.send_headers(stream, fields, end_stream=body is None)
        if body is not None:
            self.session.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def receive(self):
        received = self.socket.recv(65536)
        if not received:
            self.is_open = False
            return
        for event in self.session.receive_data(received):
            match event:
                case h2.events.ResponseReceived():
                    self.statuses[event.stream_id] = int(dict(event.headers)[":status"])
                    self.bodies[event.stream_id] = b""
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] += event.data
                    self.frame_bytes_max = max(self.frame_bytes_max, len(event.data))
                    self.taken[event.stream_id] = self.taken.get(event.stream_id, 0) + event.flow_controlled_length
                    if event.stream_id not in self.held:
                        self.open_window(event.stream_id)
                case h2.events.StreamEnded():
                    self.ended.add(event.stream_id)
                case h2.events.StreamReset():
                    self.statuses[event.stream_id] = -int(event.error_code)
                    self.ended.add(event.stream_id)
                case h2.events.ConnectionTerminated():
                    self.goaways.append([int(event.error_code), event.last_stream_id])
        self.flush()

    def open_window(self, stream):
        """Gives back what has been taken of a stream since last time."""
        if self.taken.get(stream):
            self.session.acknowledge_received_data(self.taken.pop(stream), stream)
            self.flush()

    def wait(self, *streams):
        while self.is_open and not self.ended.issuperset(streams):
            self.receive()


def callback(identifier):
    return json.dumps({"request_id": identifier, "whatsapp_message_id": "wamid.1"}).encode()


def many(count=200):
    client = Client()
    # The server's SETTINGS say how many streams it takes.
    client.receive()
    streams_max = client.session.remote_settings.max_concurrent_streams

    def run(requests):
        streams = []
        for request in requests:
            while len(streams) - len(client.ended.intersection(streams)) >= streams_max:
                client.receive()
            streams.append(client.request(*request))
        client.wait(*streams)
        return [client.statuses.get(stream) for stream in streams]

    posted = run(("POST", "/callback?key=secret", callback(f"{name}-{index}")) for index in range(count))
    found = run(("GET", f"/v1/requests/{name}-{index}") for index in range(count))
    return {"posted": posted, "found": found, "streams_max": streams_max}


def window():
    client = Client(window_bytes=1000)
    large = client.request("GET", f"/v1/requests/{name}/callbacks?limit=1000")
    client.held.add(large)
    small = []
    while client.is_open and large not in client.ended:
        before = len(client.bodies.get(large, b""))
        # Until the window is shut, or the answer whole.
        while client.is_open and large not in client.ended and client.taken.get(large, 0) < 1000:
            client.receive()
        if len(small) < 5 and large not in client.ended:
            small.append(client.request("GET", "/v1/requests/none"))
            client.wait(small[-1])
        if len(client.bodies.get(large, b"")) == before and large not in client.ended:
            break
        if large not in client.ended:
            client.open_window(large)
    return {
        "status": client.statuses.get(large), "small": [client.statuses.get(stream) for stream in small],
        "body": client.bodies.get(large, b"").decode(), "frame_bytes_max": client.frame_bytes_max,
    }


def goaway():
    client = Client()
    stream = client.request("POST", "/callback", callback(name))
    client.wait(stream)
    print("ready", flush=True)
    # h2 takes no frame after a GOAWAY, so it is read to its first; the end of the stream of bytes must follow.
    while client.is_open and not client.goaways:
        client.receive()
    while client.is_open:
        client.is_open = client.socket.recv(65536) != b""
    return {"status": client.statuses.get(stream), "goaway": client.goaways, "ended": True}


print(json.dumps({"many": many, "window": window, "goaway": goaway}[mode]()))
