/** A question with two answers: new Confirm({text, header, accept_text, decline_text, accept, decline, class_name}). */
define(['jquery', 'underscore', 'lib/components/base/modal', 'host/html', 'host/texts'], function (
  $,
  _,
  Modal,
  html,
  text,
) {
  'use strict';

  return function Confirm(options) {
    const {
      class_name = '',
      header = '',
      accept_text,
      decline_text,
      accept = _.noop,
      decline = _.noop,
    } = options || {};
    let accepted = false;
    const question = html`<h2 class="modal-body__caption head_2">${header || options.text || ''}</h2>
      ${header && options.text ? html`<p class="modal-body__inner__text">${options.text}</p>` : ''}
      <div class="modal-body__actions">
        <button type="button" class="button-input button-input_blue js-modal-accept modal-body__actions__save">
          <span class="button-input-inner">${accept_text || text('modal.yes')}</span></button>
        <button type="button" class="button-cancel js-modal-cancel"><span>${decline_text || text('modal.cancel')}</span></button>
      </div>`;
    const modal = new Modal({
      class_name: `modal-confirm ${class_name}`,
      init($body) {
        $body.append(String(question)).trigger('modal:loaded').trigger('modal:centrify');
        $body.on('click', '.js-modal-accept', () => {
          accepted = true;
          accept();
          modal.destroy();
        });
      },
      destroy: () => {
        if (!accepted) decline();
      },
    });
    return modal;
  };
});
