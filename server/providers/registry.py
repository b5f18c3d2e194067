"""Every codec by its name: the path of its webhooks, its name in the settings and in the data."""

from collections.abc import Mapping

from ..core.ports import Codec
from .mango import Mango
from .sipuni import Sipuni

CODECS: Mapping[str, Codec] = {
    "sipuni": Sipuni(),
    "mango": Mango(),
}
