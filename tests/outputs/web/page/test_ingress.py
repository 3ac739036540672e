"""The page in Home Assistant's menu: in a frame, behind a proxy with a prefix and headers."""

import shutil
import subprocess
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch
from tests.broker import free_port
from tests.documents import a_state
from tests.outputs.web.page.conftest import TABLET
from tests.outputs.web.page.test_access import violations

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
SUPERVISOR = "127.0.0.2"
PREFIX = "/api/hassio_ingress/Zm9vYmFy"

SETTINGS = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port};
        default_type text/html;
        location = / {{
            return 200 '<!doctype html><title>Home</title>
                <iframe src="{prefix}/" style="border:0;width:1100px;height:760px"></iframe>';
        }}
        location = /favicon.ico {{ return 204; }}
        location {prefix}/ {{
            proxy_pass {service};
            proxy_bind {supervisor};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Ingress-Path {prefix};
            proxy_set_header X-Hass-Source core.ingress;
            proxy_set_header X-Forwarded-For "$remote_addr, 172.30.32.1";
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto http;
            proxy_set_header X-Remote-User-Id 0123456789abcdef;
            proxy_set_header X-Remote-User-Name ada;
            proxy_set_header X-Remote-User-Display-Name Ada;
        }}
    }}
}}
"""


@pytest.fixture
def home(tmp_path):
    """Start a proxy in front of a service, and return the address of the page that frames it."""
    assert NGINX, "nginx is not installed: make test installs it"
    processes = []

    def start(service):
        port = free_port()
        settings = tmp_path / "nginx.conf"
        settings.write_text(
            SETTINGS.format(
                folder=tmp_path,
                port=port,
                prefix=PREFIX,
                service=service,
                supervisor=SUPERVISOR,
            )
        )
        command = [NGINX, "-p", str(tmp_path), "-e", "stderr", "-c", str(settings)]
        processes.append(subprocess.Popen(command))
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
            except OSError:
                assert processes[0].poll() is None
                time.sleep(0.02)
            else:
                return f"http://home.example:{port}/"

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)


def test_the_page_lives_behind_ingress_without_a_token_and_without_a_failed_request(
    open_page, puppet, home, tmp_path
):
    with HistoryStore(tmp_path / "history.db") as store:
        now = time.time()
        store.write([Stretch("den", now - 90, now - 60, "jazz", 0.8, "crnn 4")])
    service = puppet("den", token="a-token-of-enough-characters", ingress_from=SUPERVISOR)
    page = open_page("about:blank", size=TABLET)
    requests, failures = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: failures.append(request.url))
    page.on(
        "response",
        lambda answer: answer.status >= 400 and failures.append((answer.status, answer.url)),
    )
    page.on("websocket", lambda socket: requests.append(socket.url))
    url = home(service.url)
    page.goto(url)
    frame = page.frames[1]
    expect(frame.locator("#connection")).to_have_text("Connected")
    service.publish(a_state(1))
    expect(frame.locator("#genre")).to_have_text("Jazz")
    expect(frame.get_by_role("dialog")).to_have_count(0)
    frame.evaluate("Promise.all(document.getAnimations().map((a) => a.finished))")
    assert violations(frame) == []
    frame.get_by_role("button", name="History").click()
    frame.get_by_role("button", name="Delete Jazz").click()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        frame.get_by_role("dialog").get_by_role("button", name="Delete").click()
    assert deleted.value.status == 200
    assert violations(frame) == []
    assert failures == []
    inside = [each.partition("home.example")[2].partition("/")[2] for each in requests]
    outside = [path for path in inside if not f"/{path}".startswith(f"{PREFIX}/")]
    assert outside == [""], "an address is not relative"
    assert any(path.endswith("/ws") for path in inside)


def test_beside_ingress_the_page_still_asks_for_the_token(open_page, puppet):
    service = puppet("den", token="a-token-of-enough-characters", ingress_from=SUPERVISOR)
    page = open_page(service.url, extra_http_headers={"X-Ingress-Path": PREFIX}, size=TABLET)
    expect(page.get_by_role("dialog")).to_be_visible()
