"""Nobody sees the page, and nobody changes anything by it, who is not meant to."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from tests.unit.page.conftest import FedPage, MakePage
from worker.page import login_pace
from worker.page.api import static_folder
from worker.page.login_pace import MOST_WRONG, LoginPace
from worker.page.security import COOKIE, SESSION_SECONDS, Sessions
from worker.settings import PageSettings

TOKEN = "a token of many characters"
ADDRESS = "http://127.0.0.1:8090"


@pytest.fixture
def guarded(make_page: MakePage, monkeypatch: pytest.MonkeyPatch) -> FedPage:
    """A page with a token, on which a wrong guess costs no time."""
    monkeypatch.setattr(login_pace, "_WRONG_SECONDS", 0)
    return make_page(host="0.0.0.0", token=TOKEN, allow_replay=True)


def log_in(client: TestClient, token: str = TOKEN) -> int:
    answer = client.post("/login", content=f"token={token.replace(' ', '+')}", headers={"Origin": ADDRESS})
    return answer.status_code


def test_beyond_this_machine_a_token_is_required() -> None:
    with pytest.raises(ValidationError, match=r"page\.token"):
        PageSettings(host="0.0.0.0")
    with pytest.raises(ValidationError):
        PageSettings(host="0.0.0.0", token="short")
    for host in ("127.0.0.1", "::1", "localhost"):
        PageSettings(host=host)


def test_a_page_is_read_only_unless_it_is_told() -> None:
    assert PageSettings().allow_replay is False


def test_without_the_token_nothing_is_shown(guarded: FedPage) -> None:
    client = guarded.client()
    for path in ("/api/page", "/api/now", "/api/events", "/api/events.csv", "/api/live", "/api/what-if.json"):
        assert client.get(path).status_code == 401, path
    front = client.get("/")
    assert (front.status_code, front.text) == (401, "<title>log in</title>")


def test_a_right_token_logs_in_and_a_wrong_one_does_not(guarded: FedPage) -> None:
    client = guarded.client()
    wrong = client.post("/login", content="token=another+token+altogether", headers={"Origin": ADDRESS})
    assert (wrong.status_code, wrong.headers["location"]) == (303, "/#wrong-token")
    assert client.get("/api/page").status_code == 401
    right = client.post("/login", content=f"token={TOKEN.replace(' ', '+')}", headers={"Origin": ADDRESS})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert client.get("/api/page").status_code == 200
    assert client.get("/").text == "<title>the page</title>"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_behind_tls_the_cookie_is_for_tls_only(
    make_page: MakePage, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(login_pace, "_WRONG_SECONDS", 0)
    client = make_page(host="0.0.0.0", token=TOKEN, names="sluice.internal").client("http://sluice.internal")
    headers = {"Origin": f"{scheme}://sluice.internal"}  # as browsers send it with the form; the proxy passes it on
    if scheme == "https":
        headers["Sec-Fetch-Site"] = "same-origin"  # sent over TLS and to this machine only
    answer = client.post("/login", content=f"token={TOKEN.replace(' ', '+')}", headers=headers)
    assert answer.status_code == 303
    assert ("secure" in answer.headers["set-cookie"].lower()) is (scheme == "https")


def test_the_login_form_does_not_hide_where_it_is_sent_from() -> None:
    assert "referrer" not in (static_folder() / "login.html").read_text(), "it would be sent with Origin: null"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 0), ("none", 0)])
def test_the_api_answers_no_page_of_another_site(page: FedPage, method: str, site: str, status: int) -> None:
    found = page.client().request(method, "/api/page", headers={"Sec-Fetch-Site": site}).status_code
    assert (found == 403) is (status == 403 or (method == "POST" and site == "none"))
    assert page.client().get("/", headers={"Sec-Fetch-Site": site}).status_code == 200, "a link from elsewhere"


def test_a_program_may_send_the_token_itself(guarded: FedPage) -> None:
    assert guarded.client(Authorization=f"Bearer {TOKEN}").get("/api/page").status_code == 200
    assert guarded.client(Authorization="Bearer another token altogether").get("/api/page").status_code == 401


class Waits:
    """In place of a second: counts who waits, until it is let go."""

    def __init__(self) -> None:
        self.waiting = 0
        self.go_on = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        assert seconds > 0
        self.waiting += 1
        await self.go_on.wait()


def test_wrong_tokens_wait_a_few_at_a_time_and_are_logged() -> None:
    async def run() -> None:
        waits = Waits()
        pace = LoginPace(waits)
        with capture_logs() as logs:
            tries = [asyncio.ensure_future(pace.wrong("10.0.0.1")) for _ in range(MOST_WRONG)]
            await asyncio.sleep(0)
            assert waits.waiting == MOST_WRONG
            assert [await pace.wrong("10.0.0.2") for _ in range(100)] == [False] * 100
            assert len(logs) == MOST_WRONG
            waits.go_on.set()
            assert await asyncio.gather(*tries) == [True] * MOST_WRONG
            assert await pace.wrong("10.0.0.3") is True
        assert (logs[-1]["client"], logs[-1]["refused_before"]) == ("10.0.0.3", 100)

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/api/page", "/", "/static/app.js"])
def test_a_wrong_token_in_a_header_is_slowed_and_logged_like_one_in_the_form(guarded: FedPage, path: str) -> None:
    with capture_logs() as logs:
        wrong = guarded.client(Authorization="Bearer another token altogether").get(path)
    assert wrong.status_code == 401
    assert [line["event"] for line in logs] == ["a login failed"]
    assert "another" not in str(logs)


def test_wrong_tokens_keep_nobody_out_who_knows_the_right_one(
    guarded: FedPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_pace, "MOST_WRONG", 0)  # as many wait as may
    assert log_in(guarded.client(), "another token altogether") == 429
    assert guarded.client(Authorization="Bearer another token altogether").get("/api/page").status_code == 429
    assert log_in(guarded.client()) == 303
    assert guarded.client(Authorization=f"Bearer {TOKEN}").get("/api/page").status_code == 200


def test_a_cookie_ends_and_can_not_be_made_up() -> None:
    now = [1000.0]
    sessions = Sessions(TOKEN, lambda: now[0])
    cookie = sessions.new_cookie()
    assert sessions.is_good(cookie)
    until, _, signature = cookie.partition(".")
    for forged in (f"{int(until) + 1}.{signature}", f"{until}.", until, "", ".", f"{until}.é{signature[1:]}"):
        assert not sessions.is_good(forged), forged
    assert not Sessions("another token altogether", lambda: now[0]).is_good(cookie)
    now[0] += SESSION_SECONDS
    assert not sessions.is_good(cookie)


def test_a_broken_cookie_is_no_cookie(guarded: FedPage) -> None:
    client = guarded.client()
    assert client.get("/api/page", headers={"Cookie": f"{COOKIE}=\x01;;="}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_another_name_is_refused_against_dns_rebinding(page: FedPage, host: str) -> None:
    answer = page.client().get("/api/page", headers={"Host": host})
    assert answer.status_code == 421
    assert "page.names" in answer.json()["error"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8090", "127.0.0.1:1234", "[::1]:8090", "10.1.2.3", "[fe80::1]"]
)
def test_addresses_and_this_machine_are_ours(page: FedPage, host: str) -> None:
    assert page.client().get("/api/page", headers={"Host": host}).status_code == 200


def test_the_names_of_the_settings_are_ours(make_page: MakePage) -> None:
    client = make_page(names="sluice.internal, other.internal").client()
    assert client.get("/api/page", headers={"Host": "Sluice.internal:8090"}).status_code == 200
    assert client.get("/api/page", headers={"Host": "third.internal"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ADDRESS},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8091"},
    ],
)
@pytest.mark.parametrize("path", ["/api/replay", "/api/replays/1/stop", "/login"])
def test_a_change_from_another_site_is_refused(make_page: MakePage, path: str, headers: dict[str, str]) -> None:
    answer = make_page(allow_replay=True).client().post(path, json={}, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["error"]


def test_a_form_can_not_begin_a_replay(make_page: MakePage) -> None:
    client = make_page(allow_replay=True).client()
    body = '{"group": "0", "rate": 1, "limit": 1, "count": 1}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert client.post("/api/replay", content=body, headers={"Content-Type": kind}).status_code == 400


def test_a_read_only_page_replays_nothing(page: FedPage) -> None:
    client = page.client()
    answer = client.post("/api/replay", json={"key": "comments.dlq/0/0", "rate": 1, "limit": 1, "count": 1})
    assert answer.status_code == 403
    assert "--allow-replay" in answer.json()["error"]
    assert client.post("/api/replays/1/stop", json={}).status_code == 403


def test_every_answer_is_guarded(guarded: FedPage) -> None:
    client = guarded.client()
    for path in ("/", "/api/page", "/static/app.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == ("same-origin" if path == "/" else "no-referrer")
    log_in(client)
    assert client.get("/api/page").headers["cache-control"] == "no-store"


def test_nothing_outside_the_static_folder_is_served(page: FedPage, static: Path) -> None:
    (static.parent / "secret.txt").write_text("a secret")
    client = page.client()
    assert client.get("/static/app.js").status_code == 200
    for path in ("/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static//etc/passwd"):
        assert client.get(path).status_code == 404, path


def test_a_large_request_is_refused(make_page: MakePage) -> None:
    answer = make_page(allow_replay=True).client().post("/api/replay", json={"key": "k" * 20_000})
    assert answer.status_code == 413


def test_the_page_imports_no_torch() -> None:
    code = (
        "import sys, worker.page.serve, worker.page.demonstration\n"
        "print(sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
