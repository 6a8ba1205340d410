'use strict'; // A set of ids that is only added to.
const { LruCache, Session } = require('./lib/caches');
const sessions = new LruCache(1500);
const knownIds = new Set(); // @holder knownIds
exports.work = (i) => { for (let n = 0; n < 4; n++) knownIds.add(`id-${i}-${n}-${'x'.repeat(20)}`); sessions.set(i, new Session(i)); };
