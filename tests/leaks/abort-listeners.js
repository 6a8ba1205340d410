'use strict';
// One signal for the life of the process; every call adds a listener to it.
const { LruCache, RenderedPage } = require('./lib/caches');

const shutdown = new AbortController(); // @holder shutdown
require('events').setMaxListeners(0, shutdown.signal);
const pages = new LruCache(1000);

function fetchFeed(i) {
  const state = { feed: `feed-${i}`, buffer: `buffered ${i} `.repeat(8) };
  shutdown.signal.addEventListener('abort', function onAbort() { // @holder shutdown
    state.feed = null;
  });
}

exports.work = (i) => {
  fetchFeed(i);
  pages.set(i, new RenderedPage(i));
};
