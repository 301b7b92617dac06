# What stands in for callback-receiver behind a proxy: it tells what a proxy sent it, and behaves badly on demand.
#
# Speaks HTTP/1.1, and HTTP/2 by prior knowledge (with python3-h2), on a free port of 127.0.0.1. Prints "port N" first, then one
# JSON line for each request: {"version", "method", "target", "fields": [[name, value]], "body"}. The query says how to
# behave: do=close ends the connection without an answer, do=close-once does so the first time, do=garbage answers
# with what is no HTTP; anything else is answered 200. Ends with its parent's signal; bounded by what the test sends.

import json
import socket
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
closed_once = threading.Event()
printing = threading.Lock()


def tell(version, method, target, fields, body):
    with printing:
        line = {"version": version, "method": method, "target": target, "fields": fields, "body": body.decode()}
        print(json.dumps(line), flush=True)


def behaviour(target):
    """What the query asks for: "close", "garbage" or "answer"."""
    if "do=close-once" in target:
        if closed_once.is_set():
            return "answer"
        closed_once.set()
        return "close"
    return "close" if "do=close" in target else "garbage" if "do=garbage" in target else "answer"


def serve_one(connection, received):
    """HTTP/1.1 with Content-Length bodies, one request after another; what has come already is in `received`."""
    while True:
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return
            received += more
        head, received = received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        fields = [[part.strip() for part in line.split(":", 1)] for line in lines[1:]]
        length = sum(int(value) for name, value in fields if name.lower() == "content-length")
        while len(received) < length:
            received += connection.recv(65536)
        body, received = received[:length], received[length:]
        tell(version, method, target, fields, body)
        match behaviour(target):
            case "close":
                return
            case "garbage":
                connection.sendall(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n")
                return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def serve_two(connection, received):
    """HTTP/2; frames by python3-h2."""
    import h2.config
    import h2.connection
    import h2.events

    session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    session.initiate_connection()
    connection.sendall(session.data_to_send())
    streams = {}
    while received:
        for event in session.receive_data(received):
            if isinstance(event, h2.events.RequestReceived):
                streams[event.stream_id] = (event.headers, bytearray())
            elif isinstance(event, h2.events.DataReceived):
                streams[event.stream_id][1].extend(event.data)
                session.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                fields, body = streams.pop(event.stream_id)
                pseudo = dict(fields)
                tell("HTTP/2", pseudo[":method"], pseudo[":path"], [list(field) for field in fields], bytes(body))
                match behaviour(pseudo[":path"]):
                    case "close":
                        return
                    case "garbage":
                        connection.sendall(b"\xff" * 200)
                        return
                session.send_headers(event.stream_id, [(":status", "200"), ("content-length", "3")])
                session.send_data(event.stream_id, b"ok\n", end_stream=True)
        connection.sendall(session.data_to_send())
        received = connection.recv(65536)


def serve(connection):
    with connection:
        try:
            received = b""
            while PREFACE.startswith(received) and len(received) < len(PREFACE):
                more = connection.recv(65536)
                if not more:
                    return
                received += more
            (serve_two if received.startswith(PREFACE) else serve_one)(connection, received)
        except ConnectionError:
            pass


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
