'use strict';
// Objects made by spread at a hot place: some Node versions give each a hidden class of its own.
const { LruCache, Session } = require('./lib/caches');

const defaults = { retries: '3', region: 'eu', mode: 'fast' };
const history = []; // @holder history
const sessions = new LruCache(1500);

exports.work = (i) => {
  const options = { ...defaults, [`opt${i % 3}`]: `value ${i}` };
  history.push({ ...options, id: `h-${i}`, text: `history ${i} `.repeat(4) });
  sessions.set(i, new Session(i));
};
