"""Being imported, this sends `*.amocrm.ru` to the sandbox's TLS port, as a line in /etc/hosts and a moved port would.

For clients that have amoCRM's host name written in their code. They speak real TLS to the name they know; trust in the
suite's authority comes by SSL_CERT_FILE and REQUESTS_CA_BUNDLE.
"""

import os
import socket
from typing import Any

_ask = socket.getaddrinfo


def _sandbox(host: Any, port: Any, *more: Any, **words: Any) -> Any:
    if str(host).endswith(".amocrm.ru"):
        return _ask("127.0.0.1", int(os.environ["SANDBOX_TLS_PORT"]), *more, **words)
    return _ask(host, port, *more, **words)


socket.getaddrinfo = _sandbox
