"""A clean archive of nobody's widget, and small tools that plant one defect into it."""

import io
import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from PIL import Image

from widget.build.lint.archive import Archive
from widget.build.lint.table import check

Files = dict[str, bytes]
Plant = Callable[[Files], None]

SCRIPT = """\
define(['jquery', 'underscore', 'lib/components/base/modal', './lib/journal.js'], function ($, _, Modal, journal) {
  var CustomWidget = function () {
    var self = this;
    var system = self.system();

    this.getTemplate = function (name, params, callback) {
      var file = {href: '/templates/' + name + '.twig', base_path: self.params.path, load: callback};
      file.v = self.get_version();
      return self.render(file, params);
    };

    this.callbacks = {
      render: function () { return true; },
      init: _.bind(function () {
        self.add_action('phone', function (event) {
          self.crm_post('https://pbx.example/dial', {to: event.value, user: system.amouser_id}, function () {}, 'json');
        });
        return true;
      }, self),
      bind_actions: function () {
        $(document).on('click' + self.ns, '.acme-open', function () {
          self.getTemplate('panel', {name: 'panel'}, function (template) {
            new Modal({class_name: 'acme', init: journal.show(template)});
          });
        });
        return true;
      },
      settings: function ($body) {
        $body.find('button.js-widget-install').on('click', function () { journal.note('install'); });
        return true;
      },
      onSave: function () { return true; },
      destroy: function () { $(document).off(self.ns); }
    };
    return this;
  };
  return CustomWidget;
});
"""

JOURNAL = """\
define([], function () {
  // shows what was asked for; a missing name is not an error (see the manual, page 3)
  function show(template) {
    return function ($body) {
      $body.trigger('modal:loaded').html(template.render({name: 'Anna', calls: 3})).trigger('modal:centrify');
    };
  }
  function note(what) { console.debug(what); }
  return {show: show, note: note};
});
"""

PANEL = """\
<div class="acme-panel">
  {# who calls #}
  {% if name %}<b title="{{ name|escape }}">{{ name|e }}</b>{% endif %}
  {% for item in items %}<i>{{ loop.index }}. {{ item.count|number_format }}</i>{% endfor %}
  {{ include_control('button', {text: 'ok', id: 'acme_ok'}) }}
</div>
"""

STYLE = """\
.acme-panel { color: #333; }
.acme-panel .modal-body, .acme-panel > b:hover { margin: 0; }
@media (max-width: 600px) { .acme-panel { display: none; } }
@keyframes acme-ring { from { opacity: 0; } to { opacity: 1; } }
"""

MANIFEST: dict[str, Any] = {
    "widget": {
        "name": "widget.name",
        "description": "widget.description",
        "short_description": "widget.short_description",
        "version": "1.2.0",
        "interface_version": 2,
        "init_once": True,
        "locale": ["ru", "en"],
        "installation": True,
        "support": {"link": "https://voip.example/help"},
    },
    "locations": ["everywhere", "settings", "ccard-1", "clist-0"],
    "tour": {
        "is_tour": True,
        "tour_images": {"ru": ["/images/tour.png"], "en": ["/images/tour.png"]},
        "tour_description": "widget.tour_description",
    },
    "settings": {
        "server": {"name": "settings.server", "type": "text", "required": True},
        "users": {"name": "settings.users", "type": "users", "required": False},
        "conf": {"name": "settings.conf", "type": "custom", "required": False},
    },
}

SIZES = {
    "images/logo_main.png": (400, 272),
    "images/logo_small.png": (108, 108),
    "images/logo.png": (130, 100),
    "images/logo_medium.png": (240, 84),
    "images/logo_min.png": (84, 84),
    "images/tour.png": (1188, 616),
}


def texts(word: str) -> dict[str, Any]:
    """A locale file whose every text is this word."""
    widget = dict.fromkeys(("name", "description", "short_description", "tour_description", "call_action"), word)
    return {"widget": widget, "settings": dict.fromkeys(("server", "users", "conf"), word)}


def picture(size: tuple[int, int], kind: str = "PNG", **options: Any) -> bytes:
    """A plain picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "#135").save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def _pictures() -> Files:
    return {name: picture(size) for name, size in SIZES.items()}


def clean() -> Files:
    """An archive without a defect, in the shapes that published widgets have."""
    return {
        "manifest.json": json.dumps(MANIFEST).encode(),
        "i18n/ru.json": json.dumps(texts("Звонок"), ensure_ascii=False).encode(),
        "i18n/en.json": json.dumps(texts("Call")).encode(),
        "script.js": SCRIPT.encode(),
        "lib/journal.js": JOURNAL.encode(),
        "style.css": STYLE.encode(),
        "templates/panel.twig": PANEL.encode(),
        **_pictures(),
    }


def rules_broken(files: Files) -> set[str]:
    """The rules that the archive breaks."""
    return {defect.rule for defect in check(Archive(files))}


def manifest(edit: Callable[[dict[str, Any]], object]) -> Plant:
    """Plant into the manifest."""
    return content("manifest.json", edit)


def content(name: str, edit: Callable[[dict[str, Any]], object]) -> Plant:
    """Plant into a JSON file."""

    def plant(files: Files) -> None:
        value = json.loads(files[name])
        edit(value)
        files[name] = json.dumps(value, ensure_ascii=False).encode()

    return plant


def replaced(name: str, old: str, new: str) -> Plant:
    """Plant by replacing a piece of a text file; the piece must be there."""

    def plant(files: Files) -> None:
        assert old.encode() in files[name], old
        files[name] = files[name].replace(old.encode(), new.encode())

    return plant


def code(line: str) -> Plant:
    """Plant a line into a function of the script's helper module."""
    return replaced("lib/journal.js", "console.debug(what);", f"console.debug(what);\n{line}\n")


def added(name: str, data: str | bytes) -> Plant:
    """Plant a file, or put another in its place."""
    return lambda files: files.update({name: data.encode() if isinstance(data, str) else data})


def removed(name: str) -> Plant:
    """Plant a hole."""
    return lambda files: files.pop(name)


def appended(name: str, data: str) -> Plant:
    """Plant at a text file's end."""
    return lambda files: files.update({name: files[name] + data.encode()})


def several(*plants: Plant) -> Plant:
    """Plant what only several edits can express."""

    def plant(files: Files) -> None:
        for each in plants:
            each(files)

    return plant


Table = Iterable[tuple[str, str, Plant]]


def cases(table: Table) -> list[Any]:
    """(rule, what is planted, how) as pytest parameters."""
    return [pytest.param(rule, plant, id=f"{rule}: {what}") for rule, what, plant in table]
