"""The table of special addresses, compared with IANA's registries and with the table of the standard library."""
import ipaddress

import pytest

from fetcher.transport.addresses import number_of, why_not_global, wrapped


def what(address):
    return why_not_global(*number_of(address))


@pytest.mark.parametrize("address", [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "64:ff9b:1::8.8.8.8", "64:ff9b:1:2::1", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:db8::1", "3fff::1", "3fff:fff::1",
    "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "ff02::1", "ff0e::1",
    "4000::1", "1::1", "fbff::1",
    "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1"])
def test_an_address_that_is_not_global_is_told(address):
    assert what(address) is not None


@pytest.mark.parametrize("address", [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.0.9", "192.0.0.10", "192.0.1.1", "192.31.196.1",
    "192.52.193.1", "192.167.255.255", "192.169.0.0", "192.175.48.1", "198.17.255.255", "198.20.0.0", "203.0.114.1",
    "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:1::1", "2001:1::3", "2001:3::1", "2001:4:112::1",
    "2001:20::1", "2001:30::1", "2001:200::1", "2620:4f:8000::1", "3ffe::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
    "2002:808:808::1"])
def test_a_global_address_is_nothing_special(address):
    assert what(address) is None


def test_what_is_wrapped_is_named():
    assert what("::ffff:127.0.0.1") == "a loopback address (RFC 1122) in an IPv6 form"
    assert what("10.0.0.1") == "a private address (RFC 1918)"


@pytest.mark.parametrize("outer", [
    "::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}"])
def test_the_address_inside_is_found(outer):
    address = int(ipaddress.IPv6Address(outer.format("192.168.1.2")))
    assert wrapped(address) == int(ipaddress.IPv4Address("192.168.1.2"))


def test_the_address_inside_6to4_and_teredo_is_that_of_the_standard_library():
    for text in "2002:c0a8:102::1", "2001:0:4136:e378:8000:63bf:3f57:fefd":
        address = ipaddress.IPv6Address(text)
        assert wrapped(int(address)) == int(address.sixtofour or address.teredo[1])


def test_the_first_and_last_address_of_each_network_of_the_standard_library_is_refused():
    """Addresses that any version of the library calls private are refused: its table has only grown."""
    constants = ipaddress._IPv4Constants, ipaddress._IPv6Constants
    exceptions = {str(network) for each in constants for network in getattr(each, "_private_networks_exceptions", [])}
    for network in (network for each in constants for network in each._private_networks):
        for address in network[0], network[-1]:
            if str(address) + ("/32" if address.version == 4 else "/128") not in exceptions:
                if address.version == 4 or address.ipv4_mapped is None:
                    assert what(str(address)), address
