"""The shared HTTP client: what is repeated, what is not, what is kept."""

from __future__ import annotations

import os

import httpx2
import pytest

from tests.support.outgoing import HERE
from tests.unit.clients.vendor import Vendor, answered
from zixly_core.http_client import ProcessClient, new_client, send

URL = "https://api.vendor.test/records"


def test_a_read_whose_connection_failed_is_tried_three_times_in_all() -> None:
    vendor = Vendor([httpx2.ConnectError("refused"), httpx2.ReadError("reset"), answered({})])
    pauses: list[float] = []
    assert send(vendor.http, vendor.http.build_request("GET", URL), is_read=True, pause=pauses.append).status_code == 200
    assert len(vendor.requests) == 3
    assert pauses == [0.1, 0.4]


def test_a_read_by_post_is_a_read_and_is_sent_whole_each_time() -> None:
    vendor = Vendor([httpx2.RemoteProtocolError("closed"), answered({})])
    request = vendor.http.build_request("POST", URL, content=b'{"inputs": []}')
    send(vendor.http, request, is_read=True, pause=lambda _: None)
    assert [one.content for one in vendor.requests] == [b'{"inputs": []}'] * 2


def test_a_read_gives_up_after_its_third_failure() -> None:
    vendor = Vendor([httpx2.ConnectError("refused")] * 3)
    with pytest.raises(httpx2.ConnectError):
        send(vendor.http, vendor.http.build_request("GET", URL), is_read=True, pause=lambda _: None)
    assert len(vendor.requests) == 3


def test_a_write_is_sent_once_because_it_may_have_been_done() -> None:
    vendor = Vendor([httpx2.ReadError("reset"), answered({})])
    with pytest.raises(httpx2.ReadError):
        send(vendor.http, vendor.http.build_request("POST", URL), is_read=False)
    assert len(vendor.requests) == 1


def test_a_timeout_is_not_tried_again_at_once() -> None:
    vendor = Vendor([httpx2.ReadTimeout("slow"), answered({})])
    with pytest.raises(httpx2.ReadTimeout):
        send(vendor.http, vendor.http.build_request("GET", URL), is_read=True)
    assert len(vendor.requests) == 1


def test_cookies_of_a_vendor_are_not_kept_for_the_next_tenant() -> None:
    vendor = Vendor([answered({}, headers={"set-cookie": "session=tenant-a; Path=/"}), answered({})])
    vendor.http.get(URL)
    vendor.http.get(URL)
    assert "cookie" not in vendor.requests[1].headers


def test_a_redirect_is_not_followed_with_the_token() -> None:
    vendor = Vendor([httpx2.Response(302, headers={"location": "https://elsewhere.test/"})])
    assert vendor.http.get(URL, headers={"Authorization": "Bearer secret"}).status_code == 302
    assert len(vendor.requests) == 1


def test_every_timeout_is_set() -> None:
    with new_client(HERE) as client:
        assert None not in client.timeout.as_dict().values()


def test_a_forked_child_makes_a_client_of_its_own() -> None:
    shared = ProcessClient(lambda: new_client(HERE))
    parent = shared.current()
    assert shared.current() is parent
    child = os.fork()
    if child == 0:
        os._exit(0 if shared.current() is not parent else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert shared.current() is parent
    shared.close()
    assert parent.is_closed
