"""Requests that no library would send, and what the bridge answers: the table of docs/reliability/hostile-input.md."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass

from tests.integration.bridge.running import XERO_KEY
from tests.support.deliveries import xero_headers

JSON = b"Content-Type: application/json\r\n"
XERO, API = b"/webhook/xero", b"/api/pauses"
MEGABYTE = 1_000_000
# 10 GB of blanks in 10 MB would be the same; this unpacks to 200 times what it is.
BOMB = zlib.compress(b" " * (50 * MEGABYTE), 9)
DEEP = b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@dataclass(frozen=True)
class Hostile:
    """One request as bytes. `answers` are those that it may get; 0 is a connection that ends without one."""

    name: str
    raw: bytes
    answers: frozenset[int]


def post(path: bytes, headers: bytes, body: bytes = b"") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + b"\r\n" + body


def sized(body: bytes, headers: bytes = b"") -> bytes:
    return JSON + headers + b"Content-Length: %d\r\n" % len(body)


def signed(body: bytes) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in xero_headers(body, key=XERO_KEY).items() if name != "content-type")


def signed_post(body: bytes, headers: bytes = b"") -> bytes:
    return post(XERO, sized(body, signed(body) + headers), body)


def hostile() -> list[Hostile]:
    good = json.dumps({"events": []}).encode()
    return [
        Hostile("a length shorter than the body", post(XERO, signed(good) + JSON + b"Content-Length: 3\r\n", good), of(401)),
        Hostile("a negative length", post(XERO, JSON + b"Content-Length: -1\r\n", good), of(400)),
        Hostile("a length that is no number", post(XERO, JSON + b"Content-Length: 0x10\r\n", good), of(400)),
        Hostile("a length of 10^30", post(XERO, JSON + b"Content-Length: 1" + b"0" * 30 + b"\r\n", good), of(400)),
        Hostile("two lengths that differ", post(XERO, JSON + b"Content-Length: 3\r\nContent-Length: 13\r\n", good), of(400)),
        Hostile("a length and chunks", post(XERO, JSON + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), of(400)),
        Hostile("chunks of rubbish", post(XERO, JSON + b"Transfer-Encoding: chunked\r\n", b"zz\r\nrubbish\r\n"), of(400, 0)),
        Hostile("a chunk of 2^64 bytes", post(XERO, JSON + b"Transfer-Encoding: chunked\r\n", b"F" * 17 + b"\r\nx\r\n"), of(400, 0)),
        Hostile("a body that is announced as 1 TB", post(XERO, JSON + b"Content-Length: 1000000000000\r\n", good), of(413)),
        Hostile("a body of 11 MB, in chunks", post(XERO, JSON + b"Transfer-Encoding: chunked\r\n", chunks(11)), of(413)),
        Hostile("a body of 2 MB for the API", post(API, sized(b" " * (2 * MEGABYTE)), b" " * (2 * MEGABYTE)), of(413)),
        Hostile("a header of 1 MB", post(XERO, b"X: " + b"x" * MEGABYTE + b"\r\n"), of(431, 0)),
        Hostile("10,000 headers", post(XERO, b"".join(b"X-%d: y\r\n" % number for number in range(10_000))), of(431, 0)),
        Hostile("a path of 100 kB", post(b"/" + b"x" * 100_000, b""), of(400, 431, 0)),
        Hostile("JSON that is nested 100,000 deep, signed", signed_post(DEEP), of(200)),
        Hostile("the same for the API", post(API, sized(DEEP), DEEP), of(400)),
        Hostile("a number of 100,000 digits, signed", signed_post(b'{"events":' + b"9" * 100_000 + b"}"), of(200)),
        Hostile("no UTF-8, signed", signed_post(b'{"events":["\xff\xfe"]}'), of(200)),
        Hostile("a packed body (gzip), signed as it came", signed_post(gzip.compress(good), b"Content-Encoding: gzip\r\n"), of(200, 415)),
        Hostile("a bomb (deflate, 50 MB), signed as it came", signed_post(BOMB, b"Content-Encoding: deflate\r\n"), of(200, 415)),
        Hostile("the same for the API", post(API, sized(BOMB, b"Content-Encoding: deflate\r\n"), BOMB), of(400, 415, 422)),
        Hostile("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 400 + b"\r\n\r\n", of(400)),
        Hostile("an unknown verb", b"EXPLODE /webhook/xero HTTP/1.1\r\nHost: localhost\r\n\r\n", of(400)),
        Hostile("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", of(400, 0)),
        Hostile("a zero byte in a header", post(XERO, b"X: a\x00b\r\n"), of(400)),
    ]


def of(*answers: int) -> frozenset[int]:
    return frozenset(answers)


def chunks(megabytes: int) -> bytes:
    return (b"%x\r\n" % MEGABYTE + b" " * MEGABYTE + b"\r\n") * megabytes + b"0\r\n\r\n"
