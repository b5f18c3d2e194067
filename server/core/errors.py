"""Every error of the house: one base class, a stable slug, a default message, whose fault it is, whether it passes.

An error's docstring is its default message; `cure` says what the reader can do. HTTP shows them in one shape
(`as_dict`). `ConfigError` stands outside the family, so that no broad `except` swallows it.
"""

import inspect
from typing import Any, ClassVar


class KommutatorError(Exception):
    """Something went wrong."""

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    temporary: ClassVar[bool] = False
    cure: ClassVar[str] = ""

    def __init__(self, message: str = "", **details: Any) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "")
        self.details = details
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The one JSON shape of an error: slug, message, cure, whether trying again may help, details."""
        shown = {"slug": self.slug, "message": self.message, "cure": self.cure, "temporary": self.temporary}
        return {**shown, "details": self.details} if self.details else shown


class ConfigError(Exception):
    """The settings are wrong; the message names the setting and the cure."""


# -- the caller of our API is to blame -----------------------------------------------------------------------------


class CallerError(KommutatorError):
    """The request cannot be carried out as it was made."""

    slug = "bad-request"
    status = 400
    cure = "Correct the request."


class BadPhone(CallerError):
    """This is not a phone number that can be dialled."""

    slug = "bad-phone"
    cure = "Correct the number in the card: country code and at least ten digits."


class TooLarge(CallerError):
    """The request is larger than we accept."""

    slug = "too-large"
    status = 413


class NotFound(CallerError):
    """There is no such thing in this account."""

    slug = "not-found"
    status = 404
    cure = "Refresh the page: what you see may be out of date."


class LinkUnknown(CallerError):
    """This link to a recording is none of ours, or a part of it is missing."""

    slug = "link-unknown"
    status = 404
    cure = "Open the recording from the call's card or from its note in amoCRM."


class LinkExpired(CallerError):
    """This link to a recording has expired."""

    slug = "link-expired"
    status = 410
    cure = "Open the recording from the call's note in amoCRM: that link lasts."


class RecordingRevoked(CallerError):
    """An administrator has withdrawn this recording."""

    slug = "recording-revoked"
    status = 410
    cure = "Ask an administrator of your amoCRM account."


class RecordingExpired(CallerError):
    """This recording was kept for its time and is deleted."""

    slug = "recording-expired"
    status = 410
    cure = "How long recordings are kept is the server's setting recordings.keep_days."


class RecordingEarly(CallerError):
    """The recording is not ready yet."""

    slug = "recording-early"
    status = 425
    temporary = True
    cure = "Try again in a minute: the PBX is still storing it."


class RecordingAbsent(CallerError):
    """There is no recording of this call."""

    slug = "recording-absent"
    status = 404
    cure = "If calls should be recorded, switch recording on in the PBX."


class AdminOnly(CallerError):
    """Only an administrator of the account may do this."""

    slug = "admin-only"
    status = 403
    cure = "Ask an administrator of your amoCRM account."


class NoLine(CallerError):
    """No PBX is connected to this account."""

    slug = "no-line"
    status = 409
    cure = "An administrator connects a PBX in the widget's settings."


class NoExtension(CallerError):
    """You have no extension on this line."""

    slug = "no-extension"
    status = 409
    cure = "An administrator gives you an extension in the widget's settings."


class DialTwice(CallerError):
    """A call of yours is being set up already."""

    slug = "dial-twice"
    status = 409
    cure = "Wait for the first call, or cancel it."


class TokenInvalid(CallerError):
    """The one-time token is not valid."""

    slug = "token-invalid"
    status = 401
    cure = "Reload the page. If it stays, check the integration's client id and secret on the server."


class TokenReplayed(CallerError):
    """The one-time token was used before."""

    slug = "token-replayed"
    status = 401
    cure = "If amoCRM keeps giving the same token, set session.reuse_token = same_agent on the server."


class BearerInvalid(CallerError):
    """The session is over."""

    slug = "bearer-invalid"
    status = 401
    cure = "Reload the page."


class TicketInvalid(CallerError):
    """The socket's ticket is unknown, expired or used."""

    slug = "ticket-invalid"
    status = 401
    cure = "Ask for a new ticket."


class AccountUnknown(CallerError):
    """This amoCRM account is not connected to this server."""

    slug = "account-unknown"
    status = 403
    cure = "An administrator switches the integration off and on in amoCRM, so that it is authorised anew."


class HostForeign(CallerError):
    """The host is not one of amoCRM's."""

    slug = "host-foreign"
    status = 403
    cure = "Only hosts under amo.hosts and origins in amo.dev_origins are trusted."


class HookUnknown(CallerError):
    """No line has this webhook address."""

    slug = "hook-unknown"
    status = 404
    cure = "Copy the address anew from the widget's settings into the PBX."


class HookForged(CallerError):
    """The webhook's signature or key is wrong."""

    slug = "hook-forged"
    status = 403
    cure = "Check the API key and the salt of the line in the widget's settings."


class HookMalformed(CallerError):
    """The webhook cannot be read."""

    slug = "hook-malformed"
    status = 400


class HookMisplaced(CallerError):
    """This is another kind of webhook than this address takes."""

    slug = "hook-misplaced"
    status = 400
    cure = "In the PBX, set each address in its own field, as the widget's settings show."


# -- the vendor (PBX) is to blame ----------------------------------------------------------------------------------


class VendorError(KommutatorError):
    """The PBX could not do it."""

    slug = "vendor-failed"
    status = 502


class VendorUnavailable(VendorError):
    """The PBX does not answer."""

    slug = "vendor-unavailable"
    temporary = True
    cure = "Try again in a minute. If it stays, the PBX is down: call its support."


class VendorRateLimited(VendorError):
    """The PBX asks us to slow down."""

    slug = "vendor-rate-limited"
    temporary = True
    cure = "Try again in a few seconds."


class VendorCredentials(VendorError):
    """The PBX does not accept the line's key or secret."""

    slug = "vendor-credentials"
    cure = "An administrator corrects the key and the secret of the line in the widget's settings."


class VendorRefused(VendorError):
    """The PBX refused the command."""

    slug = "vendor-refused"


class VendorNumber(VendorError):
    """The PBX cannot call this number."""

    slug = "vendor-number"
    cure = "Check the number and the directions allowed in the PBX."


class VendorExtension(VendorError):
    """The PBX does not know this extension."""

    slug = "vendor-extension"
    cure = "An administrator corrects your extension in the widget's settings or in the PBX."


class VendorBilling(VendorError):
    """The PBX refuses for lack of money or by a limit."""

    slug = "vendor-billing"
    cure = "Top up the account of the PBX, or raise its limits."


class VendorUnsupported(VendorError):
    """This PBX cannot do that."""

    slug = "vendor-unsupported"
    status = 409


class VendorNoRecording(VendorError):
    """The PBX does not have this recording, or not yet."""

    slug = "vendor-no-recording"
    status = 404
    temporary = True
    cure = "Try again in a minute. If it stays, check that the PBX records and keeps calls."


class CallGone(VendorError):
    """The call is over already."""

    slug = "call-gone"
    status = 409


# -- amoCRM is to blame --------------------------------------------------------------------------------------------


class CrmError(KommutatorError):
    """amoCRM could not do it."""

    slug = "crm-failed"
    status = 502


class CrmUnavailable(CrmError):
    """amoCRM does not answer."""

    slug = "crm-unavailable"
    temporary = True


class CrmRateLimited(CrmError):
    """amoCRM asks us to slow down."""

    slug = "crm-rate-limited"
    temporary = True


class CrmBlocked(CrmError):
    """amoCRM has blocked our requests for a while."""

    slug = "crm-blocked"
    temporary = True


class CrmUnpaid(CrmBlocked):
    """amoCRM takes nothing for an account that is not paid."""

    slug = "crm-unpaid"
    cure = "Pay for the account in amoCRM: everything kept goes out by itself."


class CrmTokenDead(CrmError):
    """amoCRM does not accept our authorisation any more."""

    slug = "crm-token-dead"
    cure = "An administrator switches the integration off and on in amoCRM: everything kept goes out by itself."


class CrmRefused(CrmError):
    """amoCRM refused the request."""

    slug = "crm-refused"


class CrmEntityUnknown(CrmRefused):
    """amoCRM has nobody with this number."""

    slug = "crm-entity-unknown"


# -- we are to blame -----------------------------------------------------------------------------------------------


class OwnError(KommutatorError):
    """The server has a fault of its own."""

    slug = "own-fault"
    status = 503
    temporary = True


class StoreUnavailable(OwnError):
    """The database does not answer."""

    slug = "store-unavailable"


class StoreLocked(OwnError):
    """Another process holds the database."""

    slug = "store-locked"
    temporary = False
    cure = "Stop the other process, or give this one another --state."


class AudioUnavailable(OwnError):
    """The store of recordings does not answer."""

    slug = "audio-unavailable"
    cure = "Check the folder or the S3 service of the setting recordings.store."


class AudioFull(OwnError):
    """There is no room for another recording."""

    slug = "audio-full"
    cure = "Free some room, or keep recordings for fewer days (recordings.keep_days): what is missing is fetched later."


class AudioTooLarge(OwnError):
    """The recording is larger than recordings.most_mb."""

    slug = "audio-too-large"
    temporary = False
    cure = "Raise recordings.most_mb and re-arm the job; until then the recording is played from the PBX."


class NotAudio(OwnError):
    """What the PBX sent is no audio."""

    slug = "not-audio"
