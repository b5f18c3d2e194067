"""The phones of a stand-in PBX, pressed by a test as a person presses them on the phone page: a call stands still until
somebody does something to it, so no test waits for the clock.

    call = await pbx.ring("203", caller="+79161234567")
    await call.answer("203")
    await call.hang_up()
"""

from typing import Any

from sandboxes import Json, Sandbox, until

CLIENT = ""
"""The client's phone, where an extension is asked for."""


class Pbx:
    """One of the sandbox's PBXs, by the origin that its phone page is served from."""

    def __init__(self, sandbox: Sandbox, vendor: str) -> None:
        self.vendor = vendor
        self.url = str(sandbox.info["pbx"][vendor]["url"])
        self._sandbox = sandbox

    async def ring(self, *extensions: str, caller: str = "+79161234567") -> "PhoneCall":
        """A client calls and these phones ring; a withheld number is an empty `caller`."""
        return await self._begin({"from": caller, "extensions": list(extensions)})

    async def ring_colleague(self, extension: str, caller: str) -> "PhoneCall":
        """The phone `caller` rings the phone `extension` of the same company."""
        return await self._begin({"from": caller, "to": extension})

    async def ordered(self) -> "PhoneCall":
        """The call that the backend has just ordered, as soon as a phone rings."""

        async def ringing() -> Json | None:
            found = [call for call in await self.calls() if call["is_live"] and call["by_api"]]
            return found[0] if found and _ringing(found[0]) else None

        return PhoneCall(self, (await until(ringing))["call_id"])

    async def calls(self) -> list[Json]:
        """The last calls as the phone page shows them, the latest first."""
        state = await self._sandbox.ask("GET", f"{self.url}/phone/api/state")
        return list(state["calls"])

    async def turn(self, **knobs: Any) -> None:
        """Turn knobs of the PBX: how it answers and what it does by itself."""
        await self._sandbox.ask("PUT", f"{self.url}/sandbox/knobs", json=knobs)

    async def send_events_to(self, hook: str) -> None:
        """Paste the address for events into the PBX's own settings."""
        await self._sandbox.ask("PUT", f"{self.url}/sandbox/settings", json={"hook": hook})

    async def rest(self) -> None:
        """Hang up what still goes on, and put the knobs back: orders ring until a test answers them."""
        await self._sandbox.ask("DELETE", f"{self.url}/sandbox/knobs")
        await self.turn(callbacks="by_hand")
        for call in await self.calls():
            if call["is_live"]:
                await self.press(call=call["call"], action="hang_up", by="client")

    async def press(self, **action: Any) -> None:
        """One button of the phone page."""
        await self._sandbox.ask("POST", f"{self.url}/phone/api/actions", json=action)

    async def _begin(self, body: Json) -> "PhoneCall":
        url = f"{self.url}/phone/api/calls"
        answer = await self._sandbox.ask("POST", url, json={"scenario": "by_hand", **body})
        call = PhoneCall(self, answer["call_id"])
        await call.until_ringing()
        return call


class PhoneCall:
    """A call whose parties wait for the test."""

    def __init__(self, pbx: Pbx, call_id: str) -> None:
        self.call_id = call_id
        self._pbx = pbx

    async def answer(self, extension: str = CLIENT) -> None:
        """Pick up a ringing phone."""
        await self._press_leg(await self.until_ringing(extension), "answer")

    async def reject(self, extension: str = CLIENT) -> None:
        """Decline at a ringing phone."""
        await self._press_leg(await self.until_ringing(extension), "reject")

    async def transfer(self, to: str) -> None:
        """Hand the talk over to another extension, unannounced."""
        legs = (await self._view())["legs"]
        await self._press_leg(next(leg for leg in legs if leg["is_talk"]), "transfer", to=to)

    async def hang_up(self, by: str = "client") -> None:
        """End the call; in an internal one `employee` is the caller."""
        await self._pbx.press(call=(await self._view())["call"], action="hang_up", by=by)

    async def is_live(self) -> bool:
        """Whether it goes on."""
        return bool((await self._view())["is_live"])

    async def until_ringing(self, extension: str | None = None) -> Json:
        """The leg that rings at this extension, at the client's phone (`CLIENT`) or anywhere, as soon as one does."""

        async def find() -> Json | None:
            legs = _ringing(await self._view())
            return next((leg for leg in legs if extension is None or leg["extension"] == extension), None)

        return dict(await until(find))

    async def _press_leg(self, leg: Json, action: str, **more: str) -> None:
        await self._pbx.press(call=(await self._view())["call"], leg=leg["leg"], action=action, **more)

    async def _view(self) -> Json:
        return next(call for call in await self._pbx.calls() if call["call_id"] == self.call_id)


def _ringing(call: Json) -> list[Json]:
    return [leg for leg in call["legs"] if leg["state"] == "ringing" and leg["place"] == "phone"]
