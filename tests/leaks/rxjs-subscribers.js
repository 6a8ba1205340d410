'use strict';
// Each request subscribes to a shared subject; nobody unsubscribes.
const { Subject } = require('rxjs');
const { LruCache, RenderedPage } = require('./lib/caches');

const priceUpdates = new Subject(); // @holder priceUpdates
const pages = new LruCache(1200);

class Ticker {
  constructor(i) {
    this.symbol = `SYM${i}`;
    this.history = [`${i}`.repeat(20), `open-${i}`];
    this.subscription = priceUpdates.subscribe((price) => { // @holder priceUpdates
      this.last = price;
    });
  }
}

exports.work = (i) => {
  const ticker = new Ticker(i);
  pages.set(i, new RenderedPage(ticker.symbol.length + i));
};
