'use strict';
// Async functions that wait for a lock which is never released; their locals stay alive.
const { LruCache, RenderedPage } = require('./lib/caches');

const pages = new LruCache(900);

class Mutex {
  constructor() {
    this.waiters = []; // @holder exportLock
    this.locked = true;
  }
  acquire() {
    if (!this.locked) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }
}
const exportLock = new Mutex(); // @holder exportLock

async function exportRows(i) { // @holder exportLock
  const rows = Array.from({ length: 12 }, (_, n) => ({ row: n, text: `row ${n} of ${i}` }));
  await exportLock.acquire();
  return rows.length;
}

exports.work = (i) => {
  exportRows(i);
  pages.set(i, new RenderedPage(i));
};
