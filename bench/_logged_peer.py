"""The peer of `logged.py`: a bare loop over aiohttp that tells amoCRM of calls, so many at a time.

It keeps nothing, tries nothing again, and knows no limit. Prints one line of JSON: its own CPU and wall seconds.
"""

import asyncio
import json
import sys
import time

import aiohttp


async def tell(origin: str, token: str, phones: list[str], *, count: int, at_once: int) -> None:
    """POST /api/v4/calls, a call each."""
    free, now = asyncio.Semaphore(at_once), int(time.time())
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:

        async def one(number: int) -> None:
            async with free:
                call = {
                    "direction": "inbound", "uniq": f"peer-{now}-{number}", "duration": 7, "source": "peer",
                    "phone": phones[number % len(phones)], "call_status": 4, "created_at": now,
                }  # fmt: skip
                async with http.post(f"{origin}/api/v4/calls", json=[call]) as answer:
                    answer.raise_for_status()
                    await answer.read()

        await asyncio.gather(*map(one, range(count)))


def main() -> None:
    """Arguments come as JSON on the command line."""
    told = json.loads(sys.argv[1])
    phones, numbers = told["phones"], {"count": told["count"], "at_once": told["at_once"]}
    cpu, wall = time.process_time(), time.perf_counter()
    asyncio.run(tell(told["origin"], told["token"], phones, **numbers))
    print(json.dumps({"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}))


if __name__ == "__main__":
    main()
