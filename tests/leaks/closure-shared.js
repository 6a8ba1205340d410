'use strict';
// The classic: two closures share a context; the one that lives keeps what only the dead one used.
const { LruCache, RenderedPage } = require('./lib/caches');

const pages = new LruCache(900);
let currentConfig = null; // @holder currentConfig

function replaceConfig(i) { // @holder currentConfig
  const previous = currentConfig;
  const unused = function () {
    if (previous) return previous.text;
  };
  currentConfig = {
    text: `configuration ${i} `.repeat(20),
    describe: function describe() {
      return 'config';
    },
  };
  return unused.name;
}

exports.work = (i) => {
  replaceConfig(i);
  pages.set(i, new RenderedPage(i));
};
