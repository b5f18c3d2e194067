/** json!url: the parsed answer. */
define(['text'], function (text) {
  'use strict';

  return {
    load(name, require, done, config) {
      const parsed = (body) => {
        try {
          done(JSON.parse(body));
        } catch (error) {
          done.error(new Error(`${name}: ${error.message}`));
        }
      };
      parsed.error = done.error;
      text.load(name, require, parsed, config);
    },
  };
});
