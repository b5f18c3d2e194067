"""What administrators should hear of calls: an extension that rings and belongs to nobody."""

from server.core.calls import Rang
from server.core.records import Decision

from .accounts import Accounts
from .lines import Lines

UNMAPPED = "extension-unmapped"


class Alerts:
    """Watches decisions for what is amiss."""

    def __init__(self, accounts: Accounts, lines: Lines) -> None:
        self._accounts = accounts
        self._lines = lines

    async def changed(self, decision: Decision) -> None:
        """The call is made all the same; that nobody sees its card is worth an alert."""
        call = decision.call
        for effect in decision.effects:
            if isinstance(effect, Rang) and not self._lines.users_at(call.line_id, effect.extension):
                line = self._lines.get(call.line_id)
                await self._accounts.alert(
                    call.account_id,
                    UNMAPPED,
                    subject=f"{call.line_id}/{effect.extension}",
                    extension=effect.extension,
                    line=line.name if line else "",
                )
