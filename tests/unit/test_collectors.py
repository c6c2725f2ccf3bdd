"""Collectors in each form that HTCondor takes or prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.collectors import collector_list, collector_ports, local_collector, needs_ipv6, read_collectors
from annex_lease.forms import COLLECTOR, COLLECTOR_ADDRESS

# As `condor_status -collector -af MyAddress` prints one.
PRINTED = "<10.0.0.1:9618?addrs=10.0.0.1-9618+[2001-db8--1]-9700&alias=cm.example.edu&noUDP&sock=collector>"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("cm", (9618,)),
        ("cm1, cm2:9620 cm3:9619", (9618, 9619, 9620)),
        ("cm:9700?sock=collector", (9700,)),
        ("[2001:db8::1]:9620, 2001:db8::2", (9618, 9620)),
        (PRINTED, (9618, 9700)),
        ("cm?addrs=10.0.0.1-0+10.0.0.2-65536+x-y", (9618,)),
    ],
)
def test_the_ports_are_those_of_all_addresses(text: str, ports: tuple[int, ...]) -> None:
    assert collector_ports(text) == ports


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cm", False),
        ("10.0.0.1", False),
        ("[2001:db8::1]:9618", True),
        ("2001:db8::1", True),
        ("cm, [2001:db8::1]", True),
        (PRINTED, False),
        ("<[2001:db8::1]:9618?addrs=[2001-db8--1]-9618>", True),
        ("<[2001:db8::1]:9618?addrs=[2001-db8--1]-9618+10.0.0.1-9618>", False),
    ],
)
def test_ipv6_is_needed_where_a_collector_has_no_other_address(text: str, expected: bool) -> None:
    assert needs_ipv6(text) is expected


def test_a_collector_has_its_parts() -> None:
    (read,) = read_collectors(PRINTED)
    assert (read.host, read.port, read.text) == ("10.0.0.1", 9618, PRINTED)
    assert read.others == (("10.0.0.1", 9618), ("[2001-db8--1]", 9700))


@pytest.mark.parametrize("text", ["192.0.2.300", "192.0.2", "1", "cm, 10.0.0.256:9618", "1.2.3.4.5", "<10.0.0:1>"])
def test_a_host_of_digits_is_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not one collector or several"):
        read_collectors(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        *((each, f"{each}:9618") for each in ("127.0.0.1", "localhost", "LocalHost.", "localhost.localdomain")),
        *((each, f"[{each}]:9618") for each in ("::1", "::", "fe80::1")),
        *((each, f"{each}:9618") for each in ("0.0.0.0", "169.254.1.1", "cm.localhost")),  # noqa: S104 - no address to bind
        ("cm, 127.0.0.2:9620", "127.0.0.2:9620"),
        ("<127.0.0.1:1?addrs=127.0.0.1-1+[--1]-1>", "<127.0.0.1:1?addrs=127.0.0.1-1+[--1]-1>"),
        ("<127.0.0.1:1?addrs=127.0.0.1-1+10.0.0.1-1>", ""),
        ("10.0.0.1, 2001:db8::1, localhosts, cm.localhost.example.edu", ""),
    ],
)
def test_a_collector_that_is_valid_on_one_host_only(text: str, local: str) -> None:
    assert local_collector(text) == local


_HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{2,5}){0,2}", fullmatch=True) | st.ip_addresses().map(
    lambda address: f"[{address}]" if address.version == 6 else str(address)
)


@pytest.mark.parametrize(("number", "fits"), [(77, True), (78, False)])
def test_the_length_is_that_of_the_collectors_with_their_ports(number: int, fits: bool) -> None:
    """It is what the instances get, and longer than what was written."""
    text = " ".join(f"cm{each:05}" for each in range(number))
    assert COLLECTOR.matches(text)
    if fits:
        assert len(read_collectors(text)) == number
    else:
        with pytest.raises(ValueError, match="one collector or several"):
            read_collectors(text)


_COLLECTORS = st.builds(
    lambda host, port, socket: f"{host}{port}{socket}",
    _HOSTS,
    st.just("") | st.integers(1, 65_535).map(lambda port: f":{port}"),
    st.just("") | st.from_regex(r"\?sock=[a-z0-9_]{1,12}", fullmatch=True),
)


@given(st.lists(_COLLECTORS, min_size=1, max_size=8), st.sampled_from([",", ", ", " ", " , "]))
def test_what_is_read_can_be_read_again(collectors: list[str], separator: str) -> None:
    written = collector_list(separator.join(collectors))
    assert COLLECTOR_ADDRESS.matches(written)
    assert collector_list(written) == written
    assert len(read_collectors(written)) == len(read_collectors(separator.join(collectors)))


@given(st.text(max_size=60) | st.text(alphabet="abc.:[]<>?&=, 0123456789", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        written = collector_list(text)
    except ValueError as error:
        assert COLLECTOR.allowed in str(error)
    else:
        assert COLLECTOR_ADDRESS.matches(written)
