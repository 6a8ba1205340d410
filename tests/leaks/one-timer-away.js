'use strict';
// One pending timer reaches the holder from behind: no dominators.
const { LruCache, RenderedPage } = require('./lib/caches');
const pages = new LruCache(900);
class Registry {
  constructor() { this.entries = []; } // @holder entries
  add(e) { e.owner = this; this.entries.push(e); return e; }
}
class Entry { constructor(i) { this.text = `entry ${i} `.repeat(8); this.prev = null; } } // @class Entry
const registry = new Registry();
let last = null;
exports.work = (i) => {
  const e = registry.add(new Entry(i)); e.prev = last; last = e;
  if (i % 700 === 0) setTimeout(() => e.text, 3600000);
  pages.set(i, new RenderedPage(i));
};
