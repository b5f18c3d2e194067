"""Planted defects: scripts, styles and templates."""

import pytest
from widget_plants import SCRIPT as SCRIPT_SOURCE
from widget_plants import Plant, added, appended, cases, clean, code, manifest, replaced, rules_broken

DEFINE = SCRIPT_SOURCE.splitlines()[0]

DENSE = "var " + ",".join(f"a{n}=function(b){{return b+{n}}}" for n in range(200)) + ";"

SCRIPT = (
    ("script-syntax", "a lost brace", code("if (what) {")),
    ("script-amd", "no define", replaced("script.js", "define(", "start(")),
    ("script-callbacks", "no bind_actions", replaced("script.js", "bind_actions:", "bindActions:")),
    ("script-callbacks", "no render", replaced("script.js", "render: function", "draw: function")),
    ("script-on-save", "no onSave", replaced("script.js", "onSave:", "saved:")),
    (
        "script-dependency-missing",
        "a file that was not packed",
        replaced("script.js", "'./lib/journal.js'", "'./lib/journal.js', './lib/sounds.js'"),
    ),
    (
        "script-remote-code",
        "a library of another host",
        replaced("script.js", "'underscore'", "'https://cdn.example/underscore.js'"),
    ),
    ("script-remote-code", "a protocol-relative one", code("require(['//cdn.example/x.js'], show);")),
    ("script-minified", "one long line", code(DENSE)),
    ("script-minified", "obfuscated names", code("var _0x1a2b = 1, _0x3c4d = 2, _0x5e6f = _0x1a2b + _0x3c4d;")),
    ("script-commented-code", "a statement", code("// self.crm_post(url, data);")),
    ("script-commented-code", "a block", code("/* if (what) {\n  show(what);\n} */")),
)

CALLS = (
    ("script-eval", "eval", code("eval(what);")),
    ("script-eval", "window.eval", code("window.eval(what);")),
    ("script-eval", "eval from afar", code("(0, eval)(what);")),
    ("script-eval", "eval in brackets", code("window['eval'](what);")),
    ("script-new-function", "new Function", code("new Function('return 1')();")),
    ("script-timer-string", "a text for a timer", code("setTimeout('show()', 10);")),
    ("script-dialog", "alert", code("alert(what);")),
    ("script-dialog", "window.confirm", code("if (window.confirm(what)) { show(what); }")),
    ("script-dialog", "prompt", code("prompt(what);")),
    ("script-console", "console.log", code("console.log(what);")),
    ("script-console", "console.error as a handler", code("what.catch(console.error);")),
    ("script-console", "console.trace in the open", code("console.trace(what);")),
    ("script-debugger", "debugger", code("debugger;")),
    ("script-sync-request", "a blocking XMLHttpRequest", code("new XMLHttpRequest().open('GET', what, false);")),
    ("script-sync-request", "a blocking $.ajax", code("$.ajax({url: what, async: false});")),
    ("script-element", "createElement", code("document.createElement('script').src = what;")),
    ("script-element", "getScript", code("$.getScript(what);")),
    ("script-element", "markup", code("$('body').append('<script src=\"x.js\"></' + 'script>');")),
    ("script-global-write", "a member of APP", code("APP.data.mine = what;")),
    ("script-global-write", "a member of AMOCRM through window", code("window.AMOCRM.mine = what;")),
    ("script-global-write", "through another name", code("var app = window.APP || window.AMOCRM; app.mine = what;")),
    ("script-global-write", "by extend", code("$.extend(APP, {mine: what});")),
    ("script-global-write", "delete", code("delete APP.mine;")),
    ("script-request-in-loop", "crm_post in for", code("for (var i = 0; i < 3; i++) { self.crm_post(what, {}); }")),
    (
        "script-request-in-loop",
        "the API in forEach",
        code("what.forEach(function (id) { $.get('/api/v4/leads/' + id); });"),
    ),
    (
        "script-request-in-loop",
        "$authorizedAjax in $.each",
        code("$.each(what, function (i, id) { self.$authorizedAjax({url: id}); });"),
    ),
    (
        "script-request-in-loop",
        "deferred in while",
        code("while (what--) { setTimeout(function () { self.crm_post('x', {}); }, 9); }"),
    ),
    ("script-virtual-click", "install", code("$('.js-widget-install').click();")),
    ("script-virtual-click", "disconnect by trigger", code("$('.js-widget-uninstall').trigger('click');")),
    (
        "script-virtual-click",
        "through a variable",
        code("var button = document.querySelector('.js-widget-install'); button.click();"),
    ),
    ("script-switcher-state", "classes of the switcher", code("$('.acme').hasClass('switcher__on');")),
)

STYLES = (
    ("style-syntax", "a lost block", appended("style.css", ".acme-panel i")),
    ("style-global-selector", "all elements", appended("style.css", "* { margin: 0; }\n")),
    ("style-global-selector", "body before our class", appended("style.css", "body .acme-panel { margin: 0; }\n")),
    ("style-global-selector", "inside a media query", appended("style.css", "@media print { a { color: red; } }\n")),
    ("style-host-class", "the host's buttons", appended("style.css", ".button-input { color: red; }\n")),
    ("style-unscoped", "a class for everyone", appended("style.css", ".acme-panel i, .title { color: red; }\n")),
    ("style-remote", "a font of another host", appended("style.css", "@import url(https://fonts.example/x.css);\n")),
)

TEMPLATES = (
    ("twig-unescaped", "a bare value", replaced("templates/panel.twig", "{{ name|e }}", "{{ name }}")),
    (
        "twig-unescaped",
        "a filter that does not escape",
        replaced("templates/panel.twig", "{{ name|e }}", "{{ name|upper }}"),
    ),
    (
        "twig-unescaped",
        "only the last piece escaped",
        replaced("templates/panel.twig", "{{ name|e }}", "{{ first ~ name|e }}"),
    ),
    ("twig-unescaped", "one branch", replaced("templates/panel.twig", "{{ name|e }}", "{{ name ? name : 'nobody' }}")),
    ("twig-raw", "raw", replaced("templates/panel.twig", "{{ name|e }}", "{{ name|raw }}")),
    ("twig-raw", "raw after escape", replaced("templates/panel.twig", "{{ name|e }}", "{{ name|e|raw }}")),
    ("twig-tags", "no endif", replaced("templates/panel.twig", "{% endif %}", "")),
    ("twig-tags", "an end too many", replaced("templates/panel.twig", "{% endif %}", "{% endif %}{% endfor %}")),
    ("twig-tags", "an output that never ends", appended("templates/panel.twig", "{{ name|e")),
    ("twig-html", "an element that never ends", replaced("templates/panel.twig", "</b>", "")),
    ("twig-script", "a script", appended("templates/panel.twig", "<script>start()</script>\n")),
    ("twig-script", "a handler attribute", appended("templates/panel.twig", '<div onclick="start()"></div>\n')),
)

PLANTS = (*SCRIPT, *CALLS, *STYLES, *TEMPLATES)


@pytest.mark.parametrize(("rule", "plant"), cases(PLANTS))
def test_planted_defect_of_the_code_is_found_alone(rule: str, plant: Plant) -> None:
    """One defect in an otherwise clean archive is found, and nothing else is reported."""
    files = clean()

    plant(files)

    assert rules_broken(files) == {rule}


INNOCENT = (
    ("", "an iframe", code("document.createElement('iframe').src = what;")),
    ("", "a host module called confirm", code("function ask(confirm) { confirm({text: what}); }")),
    ("", "an own method called alert", code("what.alert('x');")),
    ("", "trace in a catch", code("try { show(what); } catch (error) { console.trace(error); }")),
    ("", "trace in a rejection handler", code("what.then(show, function (error) { console.trace(error); });")),
    (
        "",
        "a listener made in a loop",
        code("what.forEach(function (b) { b.on('click', function () { self.crm_post('x', {}); }); });"),
    ),
    ("", "reading APP", code("var user = APP.constant('user'); user.seen = APP.data.current_card;")),
    ("", "calling APP", code("APP.sdk.setCallingStatus(true); APP.notifications.add_call({from: what});")),
    (
        "",
        "an asynchronous request",
        code("$.ajax({url: what, async: true}); new XMLHttpRequest().open('GET', what, true);"),
    ),
    ("", "a timer with a function", code("setTimeout(function () { show(what); }, 10);")),
    (
        "",
        "listening to the install button",
        code("$('.js-widget-install').on('click', show); $('.js-widget-save').click();"),
    ),
    ("", "a comment that mentions a call", code("// see show(template) above; the host calls render() first")),
    ("", "a licence comment", code("/*! var x = 1; */")),
    (
        "",
        "today's syntax",
        code("const f = async ({a, ...rest}) => { await what?.b ?? rest; for await (const x of a) show(x); };"),
    ),
    ("", "callbacks put together", code("show({callbacks: what});")),
    ("", "a table of data", code("var codes = [" + ", ".join(f'"{n}"' for n in range(400)) + "];")),
    ("", "a dependency with a version", replaced("script.js", "'./lib/journal.js'", "'./lib/journal.js?v=1.2'")),
    (
        "",
        "a module through require",
        replaced(
            "script.js",
            DEFINE,
            "define(function (require) {\n  var $ = require('jquery'), _ = require('underscore');\n"
            "  var journal = require('./lib/journal.js'), Modal = require('lib/components/base/modal');\n",
        ),
    ),
    (
        "",
        "a class with a field",
        added(
            "lib/extra.js",
            "define([], function () { return class { callbacks = {render() {}, init() {}, bind_actions() {}}; }; });",
        ),
    ),
    (
        "",
        "our block of the right column",
        appended("style.css", ".card-widgets__widget-acme .acme-x { margin: 0; }\n#work-area-acme { margin: 0; }\n"),
    ),
    (
        "",
        "a font of the archive",
        appended("style.css", "@font-face { font-family: acme; src: url(fonts/acme.woff2); }\n"),
    ),
    (
        "",
        "escape for an attribute",
        appended("templates/panel.twig", "{{ name|escape('html_attr') }}{{ (a ~ b)|e|nl2br }}"),
    ),
    (
        "",
        "texts of the template itself",
        appended("templates/panel.twig", "{{ wide ? 'a' : 'b' }}{{ 5 }}{{ count|round }}{{ a == b }}{{ (x + 1) * 2 }}"),
    ),
    ("", "a macro", appended("templates/panel.twig", "{% import 'forms.twig' as forms %}{{ forms.input(name) }}")),
    ("", "an escaped region", appended("templates/panel.twig", "{% filter escape %}{{ name }}{% endfilter %}")),
    (
        "",
        "braces inside",
        appended("templates/panel.twig", "{{ include_control('select', {items: [{id: 1, text: '}}'}]}) }}"),
    ),
    ("", "verbatim", appended("templates/panel.twig", "{% verbatim %}{{ name }}{% endverbatim %}")),
    ("", "a beta version", manifest(lambda m: m["widget"].update(version="2.0.0-beta.1"))),
)


@pytest.mark.parametrize(("_", "plant"), cases(INNOCENT))
def test_lawful_code_is_not_reported(_: str, plant: Plant) -> None:
    """What published widgets do lawfully is no defect."""
    files = clean()

    plant(files)

    assert rules_broken(files) - {"zip-unused-file"} == set()
