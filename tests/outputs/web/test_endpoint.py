import pytest

from rtgenre.config import WebSocketConfig
from rtgenre.outputs.web.endpoint import announced_url


@pytest.mark.parametrize(
    ("host", "local_address", "url"),
    [
        ("127.0.0.1", "192.0.2.7", "http://127.0.0.1:8765/"),
        ("0.0.0.0", "192.0.2.7", "http://192.0.2.7:8765/"),
        ("::", "2001:db8::7", "http://[2001:db8::7]:8765/"),
        ("0.0.0.0", "", "http://127.0.0.1:8765/"),
        ("pi.local", "192.0.2.7", "http://pi.local:8765/"),
    ],
)
def test_other_machines_are_told_an_address_that_leads_here(host, local_address, url):
    assert announced_url(WebSocketConfig(host=host), 8765, local_address) == url


def test_a_page_with_a_certificate_is_announced_as_https():
    config = WebSocketConfig(host="0.0.0.0", cert_file="c.pem", key_file="k.pem")
    assert announced_url(config, 443, "192.0.2.7") == "https://192.0.2.7:443/"
