"""The rules of amoCRM that published clients rely on, each with the test that pins it down.

The table feeds `docs/reference/sandbox.md`; a test checks that every named test exists. *as amoCRM*: documented or
seen, and done so. *switch*: nobody knows, both can be had. *not yet*: with the reason.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what amoCRM does, how faithful the sandbox is, which test says so."""

    text: str
    test: str
    fidelity: str = "as amoCRM"


RULES: Final = (
    Rule("the token endpoint takes JSON and forms", "test_a_code_becomes_tokens_sent_as_json_or_form"),
    Rule("a code lives 20 minutes and works once", "test_a_code_lives_twenty_minutes"),
    Rule("access tokens are JWTs with exp and api_domain", "test_the_access_token_is_a_jwt_clients_can_decode"),
    Rule("a refresh token is single-use", "test_a_refresh_token_is_used_up_by_a_refresh"),
    Rule("a dead code or refresh token is 400 or 401", "test_a_wrong_member_is_refused", "switch: dead_code_status"),
    Rule("a forged or revoked token is 401", "test_a_forged_signature_is_401"),
    Rule("a renamed account is found by X-Refresh-Token", "test_the_account_tells_its_address_to_a_refresh_token"),
    Rule(
        "one-time tokens: HS256, aud without port, 30 minutes",
        "test_the_one_time_token_is_signed_with_the_secret",
        "switch: one_time_token, one_time_token_life_s",
    ),
    Rule("the install hook is a GET, 3 s, never repeated", "test_switching_a_widget_on_calls_the_install_hook_once"),
    Rule(
        "the disable hook is signed",
        "test_switching_a_widget_off_revokes_tokens_and_tells_with_a_signature",
        "switch: disable_hook_parameter",
    ),
    Rule("X-Context-User-ID acts as another user", "test_an_administrators_token_acts_as_another_user"),
    Rule("the page's session opens the API", "test_the_pages_session_opens_the_api"),
    Rule("errors are application/problem+json exactly", "test_a_problem_is_problem_json_without_a_charset"),
    Rule("success is application/hal+json exactly", "test_success_is_hal_without_a_charset"),
    Rule("nothing found is 204 without a body", "test_nothing_found_is_204_without_a_body"),
    Rule("no status or error key on top of a success", "test_success_has_no_status_or_error_on_top"),
    Rule("validation errors name request_id, code, path", "test_validation_errors_name_the_item_and_the_member"),
    Rule(
        "7 requests a second per integration, 50 per account: 429, then 403",
        "test_who_does_not_listen_to_429_is_blocked",
        "switch: limit_integration_per_s, limit_account_per_s, limit_violations_to_block, limit_block_s, "
        "limit_retry_after, limit_page",
    ),
    Rule("rights A, G, M, D decide what a user sees", "test_a_user_sees_what_the_rights_allow", "switch: view_denied"),
    Rule("pages until short, until 204, or by next", "test_next_links_lead_through_everything",
         "switch: next_link_on_last_page"),
    Rule("users carry _total_items and _page_count", "test_users_count_items_and_pages"),
    Rule("filters in every bracket form", "test_a_filter_by_id_works_in_every_form"),
    Rule("unknown with names and an empty query mean nothing", "test_unknown_with_and_empty_query_mean_nothing"),
    Rule("query finds a number however it is written", "test_a_number_is_found_however_it_is_written",
         "switch: query_digits"),
    Rule("bodies may be chunked; DELETE carries a body", "test_a_chunked_body_without_a_length_is_read"),
    Rule("a list with holes, as PHP writes it, is a list", "test_a_list_with_holes_as_php_writes_it_is_a_list"),
    Rule("what was fetched can be sent back", "test_what_was_fetched_can_be_sent_back"),
    Rule("a created entity is matched by request_id", "test_a_created_entity_is_matched_by_request_id"),
    Rule("numbers may be floats", "test_a_task_takes_floats_and_is_completed"),
    Rule("notes at both addresses", "test_notes_are_written_and_read_at_both_addresses"),
    Rule("link answers with links, unlink with 204", "test_links_are_made_listed_and_undone"),
    Rule("field values carry names, codes and types", "test_field_values_come_back_with_names_codes_and_types",
         "switch: enum_key"),
    Rule("leads/complex answers with a bare array", "test_a_lead_with_its_contact_is_one_request"),
    Rule("a call matches by its last 10 digits", "test_a_number_matches_by_its_last_ten_digits",
         "switch: calls_digits"),
    Rule("one open lead or one customer gets the call", "test_one_open_lead_gets_the_call", "switch: customers"),
    Rule("an unknown number is 400 with status 263", "test_an_unknown_number_is_400_with_263"),
    Rule("a mixed batch tells both", "test_a_mixed_batch_tells_both", "switch: calls_mixed_batch"),
    Rule("the same uniq twice", "test_the_same_uniq_twice_is_a_switch", "switch: calls_uniq"),
    Rule("when and how a call's note is seen", "test_a_note_may_be_visible_late",
         "switch: note_visible_after_s, note_uniq"),
    Rule("a call event reaches the named users", "test_a_call_event_reaches_the_named_users",
         "switch: event_digits, events_reach"),
    Rule("the events list tells calls and changes", "test_calls_and_changes_are_in_the_events_list"),
    Rule("unsorted records wait, are accepted, declined, and go when the number is known",
         "test_the_record_goes_when_its_number_becomes_a_contact",
         "switch: unsorted_exact_duplicates, unsorted_gone_with_contact"),
    Rule("webhooks are forms with PHP brackets", "test_a_new_contact_is_told_as_a_form_with_brackets"),
    Rule("companies arrive under contacts", "test_companies_arrive_under_contacts"),
    Rule("2 s, then 5 min, 15 min, and for 5xx 15 min, 1 h", "test_a_broken_receiver_is_tried_twice_more",
         "switch: webhook_time_scale, webhook_timeout_s"),
    Rule("over 100 failures in 2 h switch a webhook off", "test_too_many_failures_switch_a_webhook_off"),
    Rule("widget settings are for their own integration",
         "test_the_widgets_api_shows_settings_to_their_own_integration_only"),
    Rule("the account and its users have every member", "test_the_account_has_every_member_strict_clients_read"),
    Rule("published clients of PyPI and npm work unchanged",
         "test_entities_are_made_changed_fetched_and_found"),
    Rule("telephony integrations work in their order and shapes",
         "test_asterisk_falls_back_to_unsorted_when_nobody_has_the_number"),
    Rule("whatever is sent is answered in time, below 500, refusals of the API as problem+json",
         "test_no_body_query_header_or_path_breaks_it"),
    Rule("/sandbox/openapi.json is true", "test_made_up_requests_are_answered_as_described"),
)  # fmt: skip

NOT_YET: Final = (
    ("leads/unsorted/forms, unsorted link", "only telephony's category sip is served; link is for chats"),
    (
        "creating custom fields, tags and pipelines by the API",
        "the sample account has them; entities make tags by name",
    ),
    ("/api/v2/* but events, /private/api/v2/json/*", "legacy; planned with the complete API"),
    ("talks, chats, catalogs, files, digital pipeline", "not telephony"),
    ("deleting entities by the API", "amoCRM's API has no such method; the page deletes"),
)
