"""The SDK's table, second part: modules for `define`, control templates, and markup that widgets reach for.

A control's text lists every variable its template takes; a row of markup names the page on which it is found.
"""

from typing import Final

from server.sandbox.page.sdk_member import Member, of
from server.sandbox.page.vendor import ABSENT, FILES, NEAREST

_WALK: Final = "test_sdk_table_and_page_name_the_same_members"
_CONTROLS: Final = "test_controls_tell_what_was_chosen"


def _vendor() -> tuple[Member, ...]:
    test = "test_every_vendor_module_can_be_required"
    near = {name: f"{wanted} is not on npm; {used}" for name, (wanted, used) in NEAREST.items()}
    exact = {name: "amoCRM's version; vendor/… too" for name in FILES if name not in (*NEAREST, "require", "twig")}
    return (
        *of("module", test, exact),
        *of("module", test, near, "not yet"),
        *of("module", test, dict.fromkeys(ABSENT, "not on npm: a stub that says so"), "not yet"),
        *of("module", "test_render_answers_at_once_for_controls_and_sources", {
            "twig": "0.8.9, the library itself",
            "twigjs": "callable: Twig({ref} or {data}).render(params)",
        }),
    )  # fmt: skip


_HOST_MODULES: Final = (
    *of("module", "test_modal_obeys_its_options", {
        "lib/components/base/modal": "all options; .destroy(), ._showError(text)",
    }),
    *of("module", "test_confirm_asks_and_runs_the_answer", {
        "lib/components/base/confirm": "({text, header, accept_text, decline_text, accept, decline, class_name})",
    }),
    *of("module", "test_small_modules_of_the_host", {
        "lib/common/cookie": "get, set, remove",
        "lib/common/fn": "escapeHTML",
        "lib/common/router": "navigate",
        "lib/common/urlparams": "QStoJSON, get/set/removeQueryParam, getQueryString, getParam, setParam",
    }),
    *of("module", "test_notes_and_player_can_be_built_by_widgets", {
        "lib/components/notes/notes": "View, with its collection notes; templates outside /tmpl/controls are not here",
        "lib/components/base/player": "({selector, $container}); markup, format",
    }),
    *of("module", "test_requiring_class_returns_another_object_and_awaits", {"text": "text!address"}),
    *of("module", "test_relative_and_json_dependencies_resolve_beside_the_script", {
        "json": "json!address",
    }),
    *of("module", "test_files_of_the_archive_come_by_plugins", {"css": "css!address"}),
    *of("module", "test_module_that_cannot_be_had_drops_its_widget_at_once", {
        "optional": "optional!module: null instead of an error",
    }),
)  # fmt: skip

_CONTROL: Final = (
    *of("control", _CONTROLS, {
        "select": "id name class_name button_class_name selected disabled additional_data items[id option bg_color "
                  "disabled class_name additional_data]",
        "checkbox": "id name class_name input_class_name value checked disabled text additional_data",
        "checkboxes_dropdown": "id name class_name title_empty items[id option is_checked name input_id]",
        "radio": "name class_name selected items[id option disabled additional_data]",
        "date_field": "id name class_name input_class value placeholder disabled additional_data",
        "textarea": "id name class_name value placeholder style max_length rows disabled readonly additional_data",
    }),
    *of("control", "test_buttons_follow_the_events_widgets_trigger", {
        "button": "id name class_name text disabled tab_index plain blue additional_data",
    }),
    *of("control", "test_suggest_asks_its_address_and_lets_the_widget_answer", {
        "suggest": "id name class_name input_class_name value selected value_id placeholder disabled ajax[url params] "
                   "items[id option text additional_data]",
    }),
    *of("control", "test_official_sample_has_its_own_settings_page", {
        "cancel_button": "id class_name text additional_data",
    }),
    *of("control", "test_render_answers_at_once_for_controls_and_sources", {
        "input": "id name class_name type value placeholder max_length style disabled readonly additional_data",
    }),
    *of("control", "test_control_templates_take_what_the_table_says", {
        "delete_button": "id class_name text additional_data",
        "file": "id name class_name text disabled",
        "multiselect": "id name class_name disabled selected items[id option is_checked]",
        "pipeline_select": "id name class_name disabled selected items[id option name]",
        "switcher": "id name class_name value checked",
    }),
)  # fmt: skip

_EVERY_PAGE: Final = (
    "#popups_wrapper", "#left_menu", "#nav_menu", ".nav__menu__item[data-entity]", ".nav__notifications",
    "#page_holder", ".js-navigate-link", "head link[rel=stylesheet]",
)  # fmt: skip
_CARD: Final = (
    "#card_holder", "#card_fake", "#person_name",
    ".card-holder__fields > .card-fields__fields-block > form#edit_card > div > .card-entity-form__top",
    ".card-tabs > .card-tabs__item.js-card-tab[data-id=default]", ".card-entity-form__main-fields.js-card-main-fields",
    ".card-entity-form__fields > .linked-forms__group-wrapper_main.linked-forms__group-wrapper.js-cf-group-wrapper",
    ".linked-form__field[data-id] input[name^='CFV[']", ".control-phone.js-control-phone input",
    ".control-fullname input", ".card-cf-table-main", "#widgets_block.card-widgets", ".card-widgets__top",
    "#nano-card-widgets", ".card-widgets__elements", ".js-card-widgets-cap._with-widgets",
    ".card-widgets.js-widgets-active",
    ".card-widgets__widget[data-code]", ".card-widgets__widget-constructing", "#card_widgets_overlay",
    ".card-widgets__widget__caption.js-widget-caption-block", ".card-widgets__widget__caption__logo",
    ".card-widgets__widget__caption__logo_min", ".card-widgets__widget__caption__arrow", ".card-widgets__widget__body",
    ".js-body-hide", ".linked-form__field.linked-form__field-pei .linked-form__field__value",
    ".js-linked-with-actions.js-linked-has-actions.js-linked-has-value[data-pei-code=phone]",
    "input.control-phone__formatted.text-input.control--suggest--input", "input[data-type=phone]",
    ".tips.js-tip.js-tip-holder.card-cf-actions-tip > .tips__inner.js-tip-items", ".notes-wrapper",
)  # fmt: skip
_MENU: Final = (
    ".tips-item.js-tips-item.js-cf-actions-item[data-type=phone][data-id][data-value]",
    ".tips-item[data-forced][data-suggestion-type]",
    ".tips-icon-container > .tips-icon",
)
_LIST: Final = (
    "#list_page_holder", ".content__top__preset", ".list__body-right__top", ".list__body-right__top__buttons",
    "#list_table",
    "#list_multiple_actions .list-multiple-actions__item.js-list-multiple-actions__item",
    ".list-multiple-actions__item__more-btn", "#nano-card-widgets.in_list",
)  # fmt: skip
_SETTINGS: Final = (
    ".fields > .widget-settings__modal.modal > .modal-scroller.custom-scroll > .modal-body.modal-body-relative",
    ".modal-body > .widget-settings > .widget-settings__base-space > .widget_main_info", ".widget_settings_block__img",
    ".widget_settings_block__head__title", ".widget_settings_block__head-desc", ".widget-settings__command-plate",
    ".widget-settings__command-plate button.js-widget-uninstall#fields",
    "#widget_settings__fields_wrapper > .widget_settings_block__controls.widget_settings_block__controls_top",
    ".widget_settings_block__controls > button.js-widget-save#save_fields[data-onsave-destroy-modal=true]",
    ".widget-state.widget-state_status_not_configured",
    ".widget-settings__additional-block",
    ".widget-settings__wrap-desc-space > .widget-settings__desc-space > .widget_settings_block",
    "#widget_settings__fields_wrapper.widget_settings_block__fields", ".widget_settings_block__item_field",
    ".widget_settings_block__title_field", ".widget_settings_block_users__title_field", "input#widget_active__sw",
    ".widget_settings_block__input_field > input.widget_settings_block__controls__.text-input",
    "input[name^='extensions[']", "input[name^='logins['][name$='[password]']", "#fields_custom",
    "#fields_custom_content",
    ".modal-body__close > .icon.icon-modal-close", ".modal-overlay",
)  # fmt: skip
_OTHERS: Final = {
    "a widget's own settings page": (
        "#list_page_holder > #work-area-fields", ".list__body-right__top > .content__top__preset",
    ),
    "a notification": (".notification__item.notification-inner[data-id]", ".notification-call__body"),
    "the task window": ("div.modal-body__inner__todo-types",),
    "the automation page": (
        ".digital-pipeline__short-task_widget-style_official",
        "[data-action=send_widget_hook] form.digital-pipeline__edit-forms",
        ".task-edit__body__form", ".js-trigger-cancel", ".digital-pipeline__item .widget_settings_block__item_field",
        ".digital-pipeline__edit-footer.trigger_settings__process__footer button.js-trigger-save",
    ),
}  # fmt: skip


def _dom() -> tuple[Member, ...]:
    places = {
        "every page": _EVERY_PAGE, "a card": _CARD, "the menu of a number": _MENU, "a list": _LIST,
        "the settings window": _SETTINGS, **_OTHERS,
    }  # fmt: skip
    found = {selector: place for place, selectors in places.items() for selector in selectors}
    softphone = {".calls-list-toggler .js-notifications_call_list_counter": "every page, with notificationsPhone"}
    return (
        *of("DOM", "test_markup_widgets_reach_for_is_there", found),
        *of("DOM", "test_softphone_icon_stands_in_the_left_menu", softphone),
    )


MARKUP: Final[tuple[Member, ...]] = (*_vendor(), *_HOST_MODULES, *_CONTROL, *_dom())
