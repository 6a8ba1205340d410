'use strict';
// An audit trail that is only ever appended to.
const { LruCache, RenderedPage, RingBuffer } = require('./lib/caches');

class AuditTrail {
  constructor() { // @holder records
    this.records = []; // @holder records
    this.last = new RingBuffer(1500);
  }
  write(actor, action) {
    this.records.push({ actor, action, at: new Date(), detail: `${actor} did ${action}` });
    this.last.push({ actor: `${actor}!`, action: `${action}!` });
  }
}
const trail = new AuditTrail();
const pages = new LruCache(900);

exports.work = (i) => {
  trail.write(`user-${i}`, `edit-${i}`);
  pages.set(i, new RenderedPage(i));
};
