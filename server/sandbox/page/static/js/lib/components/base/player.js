/**
 * A small audio player: new Player({selector, $container}) puts one into every element found whose data-link, data-url
 * or href names a recording. `APP.player_prepare[code]` may exchange a link before it plays.
 */
define(['jquery', 'host/html', 'host/app', 'host/texts', 'host/trace'], function ($, html, app, text, trace) {
  'use strict';

  const pad = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds) % 60).padStart(2, '0')}`;

  const markup = (link, duration) => html`<span class="player js-player" data-link="${link}">
    <button type="button" class="player__play js-player-play" aria-label="${text('player.play')}"></button>
    <span class="player__time">${pad(duration || 0)}</span>
    <a class="player__download" href="${link}" target="_blank" rel="noopener" download>${text('player.download')}</a></span>`;

  /** Widgets that keep their recordings behind a link of their own register a function of the element. */
  function prepare($player) {
    Object.keys(app.player_prepare).forEach((code) => {
      trace.run(code, 'player_prepare', () => app.player_prepare[code]($player), []);
    });
  }

  function play($player) {
    prepare($player);
    const $audio = $(`<audio class="player__audio" controls preload="metadata">`).attr(
      'src',
      $player.attr('data-link'),
    );
    $audio.on('error', () =>
      $player.addClass('player_failed').append(String(html`<em role="alert">${text('player.failed')}</em>`)),
    );
    $player.find('.js-player-play').replaceWith($audio);
    // A refused autoplay leaves the controls, which is enough.
    Promise.resolve($audio[0].play()).catch(() => {});
  }

  $(document).on('click.host-player', '.js-player-play', (event) => play($(event.currentTarget).closest('.js-player')));

  function Player({ selector, $container } = {}) {
    this.$el = ($container || $(document)).find(selector);
    this.$el.each((index, element) => {
      const link = $(element).data('link') || $(element).data('url') || $(element).attr('href');
      if (link && !$(element).find('.js-player').length)
        $(element).append(String(markup(link, $(element).data('duration'))));
    });
  }

  return Object.assign(Player, { markup, format: pad });
});
