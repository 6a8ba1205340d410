'use strict';
// Each error keeps the one before as its cause.
const { LruCache, RenderedPage } = require('./lib/caches');

const pages = new LruCache(900);

class Poller {
  constructor() { // @holder lastError
    this.lastError = null; // @holder lastError
  }
  poll(i) {
    try {
      throw new Error(`upstream failed ${i}`, { cause: this.lastError });
    } catch (error) {
      error.response = { status: 502, body: `bad gateway ${i} `.repeat(10) };
      this.lastError = error;
    }
  }
}
const feedPoller = new Poller();

exports.work = (i) => {
  feedPoller.poll(i);
  pages.set(i, new RenderedPage(i));
};
