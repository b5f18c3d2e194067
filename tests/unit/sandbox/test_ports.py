"""Ports that are taken name their holder."""

import os

import pytest

from server.sandbox.ports import PortTakenError, check_free, listen


def test_a_taken_port_names_who_holds_it(unused_tcp_port: int) -> None:
    """Here: this very process."""
    listener = listen("127.0.0.1", unused_tcp_port)

    with listener, pytest.raises(PortTakenError, match=rf"port {unused_tcp_port} is taken by .*pid {os.getpid()}"):
        listen("127.0.0.1", unused_tcp_port)


def test_a_free_port_stays_free(unused_tcp_port: int) -> None:
    """Checking does not take it."""
    check_free("127.0.0.1", unused_tcp_port)
    check_free("127.0.0.1", unused_tcp_port)
