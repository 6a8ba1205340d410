'use strict';
// A Set meant to make work unique; its members are fresh objects, so nothing is ever equal.
const { LruCache, RenderedPage } = require('./lib/caches');

const pages = new LruCache(1200);
const seenDeliveries = new Set(); // @holder seenDeliveries

class Delivery { // @class Delivery
  constructor(i) {
    this.messageId = `m-${i}`;
    this.headers = { queue: `q${i % 7}`, trace: `trace-${i}` };
  }
}

function deliver(i) {
  const delivery = new Delivery(i);
  if (seenDeliveries.has(delivery)) return;
  seenDeliveries.add(delivery);
  pages.set(i, new RenderedPage(i));
}
exports.work = deliver;
