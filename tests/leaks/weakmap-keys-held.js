'use strict';
// A WeakMap that cannot free anything, because its keys are kept in a list beside it.
const { LruCache, Session } = require('./lib/caches');

const metadata = new WeakMap();
const openHandles = []; // @holder openHandles
const sessions = new LruCache(1500);

class Handle { // @class Handle
  constructor(i) {
    this.fd = `fd-${i}`;
  }
}

exports.work = (i) => {
  const handle = new Handle(i);
  openHandles.push(handle);
  metadata.set(handle, { opened: new Date(), by: `user-${i}`, trail: `stack of ${i} `.repeat(8) });
  sessions.set(i, new Session(i));
};
