# A week of a log, made up: so that the page has something to show that did not happen this minute.
#
# Promises: the format of API.md §7, checksums and all, so that the server takes it for its own; the same each time, but for the time
# it ends at, which is now. What it holds is told back: the newest state of each request.
# Must not know: the page.

import datetime
import json
import math
import random

MESSAGES = (
    ["(#131049) This message was not delivered to maintain healthy ecosystem engagement."] * 5
    + ["(#131026) Message undeliverable", "(#132001) Template name does not exist in the translation"] * 3
    + ["(#130429) Rate limit hit", "The carrier pigeon returned with the letter still attached"]
)


def table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


TABLE = list(table())


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xFFFFFFFF


def timestamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def records(days, now):
    """What happened: (moment, kind, request_id, members), in no order."""
    dice = random.Random(7)
    moment, number = now - datetime.timedelta(days=days), 0
    while True:
        rate = 8 + 22 * max(0, math.sin((moment.hour - 5) / 12 * math.pi))
        moment += datetime.timedelta(hours=dice.expovariate(rate))
        if moment > now - datetime.timedelta(minutes=2):
            return
        number += 1
        identifier = f"{dice.getrandbits(32):08x}-{dice.getrandbits(16):04x}-4{dice.getrandbits(12):03x}-9{dice.getrandbits(12):03x}-{dice.getrandbits(48):012x}"
        fate = dice.random()
        if fate < 0.4:
            yield moment, "announcement", identifier, {"overdue_after": 300, "reference": f"order-{1000 + number}", "metadata": {"customer": number}}
        if fate < 0.006:
            if moment + datetime.timedelta(minutes=5) < now:
                yield moment + datetime.timedelta(minutes=5), "overdue", identifier, {}
            continue
        answered = moment + datetime.timedelta(seconds=dice.uniform(1, 30))
        fate = dice.random()
        if fate < 0.93:
            data = {"request_id": identifier, "crisp_fingerprint": 163239623000000 + number, "whatsapp_message_id": f"wamid.HBgL{number:08X}", "session_id": f"session_{number:08x}"}
            yield answered, "callback", identifier, {"status": "sent", "payload": {"error": False, "reason": "request_sent", "data": data}}
        elif fate < 0.995:
            yield answered, "callback", identifier, {"status": "failed", "payload": {"request_id": identifier, "message": dice.choice(MESSAGES)}}
        else:
            yield answered, "callback", identifier, {"status": "unrecognized", "payload": {"request_id": identifier, "note": "strange"}}


def write(directory, days=7):
    """Writes the log's first segment. The newest record of each request: request_id -> (moment, kind, members)."""
    now = datetime.datetime.now(datetime.timezone.utc)
    newest = {}
    with open(f"{directory}/00000000000000000001.jsonl", "wb") as file:
        for sequence, (moment, kind, identifier, members) in enumerate(sorted(records(days, now), key=lambda record: record[0]), 1):
            record = {"sequence": sequence, "received_at": timestamp(moment), "kind": kind, "request_id": identifier, **members, "durable": sequence - 1}
            line = json.dumps(record, separators=(",", ":"))[:-1].encode()
            file.write(line + b',"crc32c":"%08x"}\n' % crc32c(line))
            newest[identifier] = (moment, kind, members)
    return newest
