"""Numbers for Prometheus. Labels hold no account, number or secret."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

REGISTRY = CollectorRegistry()

HOOKS = Counter("kommutator_hooks", "Webhooks of PBXs by answer", ["provider", "status"], registry=REGISTRY)
AGENTS = Gauge("kommutator_agents_connected", "Browsers connected to this node", registry=REGISTRY)
SESSIONS = Counter("kommutator_sessions", "Sessions opened, by outcome", ["outcome"], registry=REGISTRY)


def render() -> tuple[bytes, str]:
    """The page that Prometheus reads, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
