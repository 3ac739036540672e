import pytest

from rtgenre.sources.addresses import bare_address_hint, is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:192.168.1.1", "64:ff9b::7f00:1", "2002:c0a8:101::1"),
    ],
)
def test_addresses_of_this_machine_and_network_are_not(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["radio.example/live", "radio.example:8000", "192.168.1.7/live.mp3", "a.b.de:80/x"]
)
def test_an_address_without_its_beginning_is_told_what_it_lacks(text):
    assert bare_address_hint(text).endswith(f"write http://{text}")


@pytest.mark.parametrize(
    "text", ["song.wav", "music/song.wav", "v1.2/song.wav", "../song.wav", "hw:1,0", "alsa_in.usb"]
)
def test_names_of_files_and_devices_are_not_taken_for_addresses(text):
    assert bare_address_hint(text) == ""
