/** Life of the host's form controls wherever widgets put them: select, drop-down of check boxes, suggest, button states. */
define(['jquery'], function ($) {
  'use strict';

  const LIST = 'control--select--list-opened';

  const closeAll = () =>
    $(`.${LIST}`).removeClass(LIST).siblings('.control--select--button').attr('aria-expanded', 'false');

  function toggle($select) {
    const $list = $select.children('.control--select--list');
    const wasOpen = $list.hasClass(LIST);
    closeAll();
    $list.toggleClass(LIST, !wasOpen);
    $select.children('.control--select--button').attr('aria-expanded', String(!wasOpen));
  }

  function choose($item) {
    if ($item.attr('aria-disabled')) return;
    const $select = $item.closest('.control--select');
    const value = String($item.data('value'));
    $item
      .addClass('control--select--list--item-selected')
      .siblings()
      .removeClass('control--select--list--item-selected');
    $select
      .children('.control--select--button')
      .attr('data-value', value)
      .find('.control--select--button-inner')
      .text($item.text().trim());
    closeAll();
    $select.children('.control--select--input').val(value).trigger('change');
  }

  function dropdownTitle($box) {
    const checked = $box
      .find('.js-item-checkbox-dropdown:checked')
      .map((index, one) => $(one).data('value'))
      .get();
    const $title = $box.find('.checkboxes_dropdown__title');
    $title.text(checked.join(', ') || $title.data('empty') || '');
  }

  /** `params` of a suggest are a query with `#q#` where the typed text goes. */
  const query = ($input) => String($input.data('params') || 'q=#q#').replace(/#q#/g, encodeURIComponent($input.val()));

  const item = (one) =>
    $('<li class="control--suggest--list--item">')
      .attr({ 'data-value-id': one.id, 'data-value': one.id })
      .text(one.option || one.text || one.name || String(one));

  function fill($list, rows) {
    $list.empty().append((Array.isArray(rows) ? rows : Object.values(rows || {})).map(item));
  }

  async function suggest($input) {
    const url = $input.data('url');
    const $list = $input.siblings('.control--suggest--list');
    if (url) {
      const answer = await $.ajax({ url, data: query($input), dataType: 'json' }).then(null, () =>
        $.Deferred().resolve([]),
      );
      fill($list, answer && answer.result ? answer.result : answer);
      $input.trigger('suggest:loaded', [answer, $list]); // a widget may answer with suggest:reset and rows of its own
    } else {
      const typed = String($input.val()).toLowerCase();
      $list.children().each((index, one) => $(one).toggle($(one).text().toLowerCase().includes(typed)));
    }
    $list.addClass('is-opened');
  }

  function pick($item) {
    const $box = $item.closest('.control--suggest');
    $box.find('.control--suggest--input-hidden').val($item.attr('data-value-id')).trigger('change');
    const $input = $box.find('.control--suggest--input').val($item.text().trim());
    $input.attr('data-value-id', $item.attr('data-value-id')).trigger('change').trigger('suggest:changed', [$item]);
    $item.parent().removeClass('is-opened');
  }

  function bindButtons($document) {
    const state = (event, isBusy) =>
      $(event.target).closest('.button-input').toggleClass('button-input_loading', isBusy).prop('disabled', isBusy);
    $document
      .on('button:load:start button:save:start', '.button-input', (event) => state(event, true))
      .on('button:load:stop button:saved button:save:error', '.button-input', (event) => state(event, false))
      .on('button:enable button:save:enable', '.button-input', (event) =>
        $(event.target).closest('.button-input').prop('disabled', false).removeClass('button-input-disabled'),
      )
      .on('button:disable button:save:disable', '.button-input', (event) =>
        $(event.target).closest('.button-input').prop('disabled', true).addClass('button-input-disabled'),
      );
  }

  function bind() {
    const $document = $(document);
    bindButtons($document);
    $document
      .on('click.host-controls', '.control--select--button', (event) => {
        event.preventDefault();
        event.stopPropagation();
        toggle($(event.currentTarget).parent());
      })
      .on('click.host-controls', '.control--select--list--item', (event) => choose($(event.currentTarget)))
      .on('click.host-controls', closeAll)
      .on('click.host-controls', '.checkboxes_dropdown__title_wrapper', (event) =>
        $(event.currentTarget).parent().toggleClass('expanded'),
      )
      .on('change.host-controls', '.js-item-checkbox-dropdown', (event) =>
        dropdownTitle($(event.currentTarget).closest('.checkboxes_dropdown')),
      )
      .on('input.host-controls focus.host-controls', '.control--suggest > .control--suggest--input', (event) =>
        suggest($(event.currentTarget)),
      )
      .on('suggest:reset', '.control--suggest--list', (event, rows) => fill($(event.currentTarget), rows))
      .on('click.host-controls', '.control--suggest--list--item', (event) => pick($(event.currentTarget)))
      .on('change.host-controls', '.control-checkbox input', (event) => {
        $(event.currentTarget).closest('.control-checkbox').toggleClass('is-checked', event.currentTarget.checked);
      });
  }

  return { bind };
});
