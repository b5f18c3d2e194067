"""The vendor modules of the host page by their AMD ids, served from the checkout's `node_modules`.

The versions are amoCRM's own where npm has them (`package.json` pins them); the others are listed with their reason in
`NEAREST` and `ABSENT`, which the docs repeat.
"""

from pathlib import Path
from typing import Final

from aiohttp import web

FILES: Final = {
    "FileAPI": "fileapi/dist/FileAPI.js",
    "accounting": "accounting/accounting.js",
    "backbone": "backbone/backbone.js",
    "browser-detect": "browser-detect/dist/browser-detect.umd.js",
    "chartjs": "chart.js/dist/Chart.js",
    "clipboard": "clipboard/dist/clipboard.js",
    "cocktail": "backbone.cocktail/Cocktail.js",
    "cropperjs": "cropperjs/dist/cropper.js",
    "device": "current-device/umd/current-device.js",
    "enquire": "enquire.js/dist/enquire.js",
    "fullcalendar": "fullcalendar/dist/fullcalendar.js",
    "google-libphonenumber": "google-libphonenumber/dist/libphonenumber.js",
    "intl_tel_input": "intl-tel-input/build/js/intlTelInput.js",
    "jplayer": "jplayer/dist/jplayer/jquery.jplayer.js",
    "jquery": "jquery/dist/jquery.js",
    "jquery-ui": "jquery-ui-dist/jquery-ui.js",
    "js-uuid": "js-uuid/js-uuid.js",
    "moment": "moment/moment.js",
    "pubsub": "pubsub-js/src/pubsub.js",
    "quill": "quill/dist/quill.js",
    "rangeslider": "rangeslider.js/dist/rangeslider.js",
    "require": "requirejs/require.js",
    "steady": "steady/Steady.js",
    "store": "store/store.js",
    "twig": "twig/twig.js",
    "underscore": "underscore/underscore.js",
    "virtualized-list": "virtualized-list/umd/virtualized-list.js",
}
# Ids widgets use for the same module.
ALIASES: Final = {"intl-tel-input": "intl_tel_input"} | {f"vendor/{name}": name for name in FILES if name != "require"}
# amoCRM's version is not on npm; the nearest that is.
NEAREST: Final = {"intl_tel_input": ("3.7.1", "5.1.7"), "FileAPI": ("2.0.5", "2.0.18"), "steady": ("2.0.0", "2.0.1")}
# Not on npm at all: a module that says so in the developer bar.
ABSENT: Final = ("colorpicker",)

_STUB: Final = """define(['host/trace'], function (trace) {
  trace.error(null, 'define', new Error('module %s: not here (it is not on npm)'));
  return {};
});
"""


class MissingParts(web.HTTPServiceUnavailable):
    """`node_modules` of the checkout lacks what the page needs; the text says how to cure it."""

    def __init__(self, missing: str) -> None:
        super().__init__(text=f"The sandbox page needs {missing}. Run `npm ci` in the checkout and reload.\n")


def paths() -> dict[str, str]:
    """RequireJS' `paths`: AMD id → module below `/frontend/js/`."""
    return {name: f"vendor/{name}" for name in (*FILES, *ABSENT)}


def node_modules() -> Path:
    """The checkout's folder of npm parts. Raises `MissingParts` when it is not there."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "package.json").is_file():
            if not (folder / "node_modules").is_dir():
                break
            return folder / "node_modules"
    raise MissingParts("node_modules")


async def serve(request: web.Request) -> web.StreamResponse:
    """One vendor module by its AMD id."""
    name = request.match_info["name"]
    if name in ABSENT:
        return web.Response(text=_STUB % name, content_type="text/javascript")
    if name not in FILES:
        raise web.HTTPNotFound
    file = node_modules() / FILES[name]
    if not file.is_file():
        raise MissingParts(f"the npm package of {name!r} ({FILES[name]})")
    return web.FileResponse(file, headers={"Cache-Control": "max-age=3600", "Content-Type": "text/javascript"})
