import asyncio
import contextlib

from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from rtgenre.outputs.web import mdns
from rtgenre.outputs.web.mdns import SERVICE_TYPE, MdnsOutput

LOOPBACK = "127.0.0.1"


@contextlib.asynccontextmanager
async def browsing():
    """Browse the loopback interface for rtgenre, and yield what comes and goes."""
    zeroconf = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    changes = asyncio.Queue()

    def on_change(zeroconf, service_type, name, state_change):
        changes.put_nowait((name, state_change))

    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[on_change])
    try:
        yield zeroconf, changes
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()


async def seen(changes, name, state_change):
    while await changes.get() != (name, state_change):
        pass


async def test_the_service_is_found_with_its_address_and_says_goodbye():
    name = f"mdns-test.{SERVICE_TYPE}"
    output = MdnsOutput(
        name="mdns-test", host=LOOPBACK, port=8765, properties={"path": "/ws", "nodes": "a,b"}
    )
    async with browsing() as (zeroconf, changes):
        task = asyncio.create_task(output.run())
        await seen(changes, name, ServiceStateChange.Added)
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        assert await info.async_request(zeroconf.zeroconf, 5000)
        assert (info.port, info.parsed_addresses()) == (8765, [LOOPBACK])
        assert info.decoded_properties == {"path": "/ws", "nodes": "a,b"}
        task.cancel()
        await seen(changes, name, ServiceStateChange.Removed)
        await asyncio.wait({task})


async def test_a_machine_that_got_another_address_is_announced_with_it(monkeypatch):
    monkeypatch.setattr(mdns, "_RETRY_SECONDS", 0.05)
    name = f"mdns-moves.{SERVICE_TYPE}"
    output = MdnsOutput(name="mdns-moves", host="", port=8765, properties={})
    addresses = [LOOPBACK]

    async def present_addresses():
        return list(addresses)

    monkeypatch.setattr(output, "_addresses", present_addresses)
    async with browsing() as (zeroconf, changes):
        task = asyncio.create_task(output.run())
        await seen(changes, name, ServiceStateChange.Added)
        addresses[:] = ["127.0.0.2"]
        async with asyncio.timeout(20):
            await seen(changes, name, ServiceStateChange.Removed)
            await seen(changes, name, ServiceStateChange.Added)
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        assert await info.async_request(zeroconf.zeroconf, 5000)
        assert info.parsed_addresses() == ["127.0.0.2"]
        task.cancel()
        await asyncio.wait({task})


async def test_names_and_lists_of_nodes_that_are_too_long_for_dns_are_cut_short():
    node = 64 * "n"
    output = MdnsOutput(
        name=node, host=LOOPBACK, port=1, properties={"nodes": ",".join(9 * [node])}
    )
    name = f"{63 * 'n'}.{SERVICE_TYPE}"
    async with browsing() as (zeroconf, changes):
        task = asyncio.create_task(output.run())
        await seen(changes, name, ServiceStateChange.Added)
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        assert await info.async_request(zeroconf.zeroconf, 5000)
        assert len(info.decoded_properties["nodes"]) == 255 - len("nodes=")
        task.cancel()
        await asyncio.wait({task})


async def test_a_host_that_cannot_be_resolved_does_not_end_the_service():
    output = MdnsOutput(name="x", host="nowhere.invalid", port=1, properties={})
    task = asyncio.create_task(output.run())
    done, _ = await asyncio.wait({task}, timeout=0.5)
    assert not done
    task.cancel()
