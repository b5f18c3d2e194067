"""Where durable work is put, as a list."""

from server.core.jobs import Job


class Shelf:
    """Remembers what was put; `fault` is raised instead, once."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.resumed: list[str] = []
        self.rearmed: list[str] = []
        self.fault: Exception | None = None

    async def put(self, *jobs: Job) -> None:
        """See `lanes.Lanes.put`."""
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.jobs += jobs

    def of(self, kind: str) -> list[Job]:
        """The jobs of a kind."""
        return [job for job in self.jobs if job.kind == kind]

    async def cancel(self, grp: str) -> int:
        """See `lanes.Lanes.cancel`."""
        gone = [job for job in self.jobs if job.grp == grp]
        self.jobs = [job for job in self.jobs if job.grp != grp]
        return len(gone)

    async def rearm_lane(self, lane: str) -> int:
        """See `lanes.Lanes.rearm_lane`."""
        self.rearmed.append(lane)
        return 0

    async def resume(self, lane: str) -> None:
        """See `lanes.Lanes.resume`."""
        self.resumed.append(lane)
