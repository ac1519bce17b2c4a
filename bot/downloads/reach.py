"""Which addresses a download may reach, decided anew at every hop, for the very address that is connected to.

A name is resolved once; what was checked is what is connected to, so that a name server that answers differently the next moment
changes nothing. Owns the rule and the resolver that keeps it. Refuses to know what is fetched.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import RequestRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also where it carries one of IPv4 in it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class Reach(msgspec.Struct, frozen=True):
    """What may be connected to: schemes, and a test of addresses."""

    schemes: tuple[str, ...] = ("https",)
    allows: Callable[[Address], bool] = is_public

    def check(self, url: URL) -> None:
        """Raise RequestRefused unless `url` is a whole address with a scheme that is allowed, and no address that is not."""
        if url.scheme not in self.schemes:
            wanted = " or ".join(f"{scheme}://" for scheme in self.schemes)
            raise RequestRefused(
                f"Only addresses that begin with {wanted} are fetched, not {url.scheme or 'nothing'}://."
            )
        if not url.host or url.user is not None or url.password is not None:
            raise RequestRefused(
                "That is no address that can be fetched: it needs a host, and neither a user nor a password."
            )
        try:
            address = ipaddress.ip_address(url.host)
        except ValueError:
            return  # a name; the resolver looks at what it stands for
        self.check_address(address, url.host)

    def check_address(self, address: Address, host: str) -> None:
        """Raise RequestRefused where `address` may not be reached."""
        if not self.allows(address):
            raise RequestRefused(
                f"{host} leads to {address}, which is not a public address; nothing is fetched from inside a network."
            )


PUBLIC: Final = Reach()
"""The public internet, by https."""


class CheckedResolver(AbstractResolver):
    """Resolves names, and refuses those of which any address may not be reached."""

    def __init__(self, reach: Reach, resolver: AbstractResolver | None = None) -> None:
        self._reach, self._resolver = reach, resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of `host`, all of them checked. Raises RequestRefused, OSError."""
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            self._reach.check_address(ipaddress.ip_address(each["host"].partition("%")[0]), host)
        return found

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()
