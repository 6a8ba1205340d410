'use strict'; // A store made by a function: the map is a variable of its closure.
const { LruCache, Session } = require('./lib/caches');
function createStore() {
  const seen = new Map(); // @holder seen
  return { remember(k, v) { seen.set(k, v); }, size() { return seen.size; } };
}
const dedup = createStore();
const sessions = new LruCache(1500);
exports.work = (i) => { dedup.remember(`k-${i}`, { at: new Date(), text: `seen ${i} `.repeat(6) }); sessions.set(i, new Session(i)); };
