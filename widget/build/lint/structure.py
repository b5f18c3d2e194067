"""Rules about the archive as a zip: layout, left-over files, encodings, secrets."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from .archive import BOM, Archive
from .rules import Finding, Subject

SUBJECT = Subject("Archive")

TEXTS = (".json", ".js", ".css", ".twig", ".html", ".svg", ".txt")

JUNK_NAMES = re.compile(
    r"(^|/)(\.[^/.][^/]*|__MACOSX|Thumbs\.db|desktop\.ini|node_modules|npm-debug\.log|package(-lock)?\.json|yarn\.lock"
    r"|tsconfig\.json|webpack\.config\.js|gulpfile\.js|Gruntfile\.js)(/|$)",
    re.IGNORECASE,
)
JUNK_ENDINGS = re.compile(
    r"(\.(map|log|bak|orig|rej|swp|tmp|psd|sketch|zip|rar|7z|ts|jsx|scss|less|php|py|sh)|~)$", re.IGNORECASE
)

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a client secret": re.compile(r"(?:client_?secret|secret_?key)[\"']?\s*[:=]\s*[\"'][\w-]{24,}[\"']", re.IGNORECASE),
}


@SUBJECT.rule(
    "zip-wrapping-folder",
    claim="manifest.json lies at the root of the archive, not in a folder",
    cure="zip the files inside the folder instead of the folder",
)
def wrapping_folder(archive: Archive) -> Iterator[Finding]:
    if archive.wrapping:
        yield Finding(f"{archive.wrapping}manifest.json", f"everything lies in the folder {archive.wrapping}")


@SUBJECT.rule(
    "manifest-missing",
    claim="there is a manifest.json",
    cure="add manifest.json at the archive's root (lower case)",
)
def manifest_missing(archive: Archive) -> Iterator[Finding]:
    if "manifest.json" not in archive.files:
        yield Finding("manifest.json", "the archive has no manifest")


@SUBJECT.rule(
    "script-missing",
    claim="a widget with locations has a script.js",
    cure="add script.js at the archive's root, or remove `locations`",
)
def script_missing(archive: Archive) -> Iterator[Finding]:
    if archive.places and "script.js" not in archive.files:
        yield Finding("script.js", "the manifest has locations and there is no script")


@SUBJECT.rule(
    "zip-junk-file",
    claim="the archive holds nothing that a desktop, an editor or a build left behind",
    cure="leave the file out of the archive",
)
def junk_file(archive: Archive) -> Iterator[Finding]:
    for name in sorted({*archive.files, *archive.entries}):
        if JUNK_NAMES.search(name) or JUNK_ENDINGS.search(name):
            yield Finding(name, "the widget does not use such a file")


@SUBJECT.rule(
    "zip-unsafe-name",
    claim="names are relative, with plain slashes and without `..`",
    cure="pack again with ordinary relative names",
)
def unsafe_name(archive: Archive) -> Iterator[Finding]:
    for name in archive.entries:
        if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
            yield Finding(name, "the name leads out of the archive or is not portable")


@SUBJECT.rule(
    "zip-duplicate-name",
    claim="every file is in the archive once",
    cure="pack again into a new archive",
)
def duplicate_name(archive: Archive) -> Iterator[Finding]:
    for name, times in Counter(archive.entries).items():
        if times > 1:
            yield Finding(name, f"the archive holds it {times} times, and which one counts is chance")


@SUBJECT.rule(
    "zip-unused-file",
    claim="every script, style and template is referred to from somewhere",
    cure="remove the file, or refer to it",
)
def unused_file(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(".js", ".css", ".twig", ".html"):
        stem = PurePosixPath(name).stem
        others = (
            archive.text(other) for other in archive.named(".js", ".css", ".twig", ".html", ".json") if other != name
        )
        if name not in {"script.js", "style.css"} and not any(stem in text for text in others):
            yield Finding(name, "no other file mentions it")


@SUBJECT.rule("text-bom", claim="text files have no byte order mark", cure="save the file as UTF-8 without BOM")
def byte_order_mark(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*TEXTS):
        if archive.files[name].startswith(BOM):
            yield Finding(name, "the file begins with a byte order mark")


@SUBJECT.rule("text-crlf", claim="text files have LF line ends", cure="convert the line ends to LF")
def line_ends(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*TEXTS):
        if b"\r" in archive.files[name]:
            yield Finding(name, "the file has CR LF line ends")


@SUBJECT.rule("text-encoding", claim="text files are UTF-8", cure="save the file as UTF-8")
def encoding(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*TEXTS):
        try:
            archive.files[name].decode("utf-8")
        except UnicodeDecodeError as wrong:
            yield Finding(name, f"byte {wrong.start} is not UTF-8")


@SUBJECT.rule(
    "secret-in-archive",
    claim="no key, token or secret travels in the archive: every user's browser can read it",
    cure="keep the secret on your server and replace it, it is burnt",
)
def secret(archive: Archive) -> Iterator[Finding]:
    for name in archive.named(*TEXTS):
        for what, pattern in SECRETS.items():
            if pattern.search(archive.text(name)):
                yield Finding(name, f"the file holds {what}")
