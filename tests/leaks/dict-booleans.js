'use strict'; // An object as a set: keys grow, values are all `true`.
const { LruCache, Session } = require('./lib/caches');
const sessions = new LruCache(1500);
const processed = {}; // @holder processed
exports.work = (i) => { for (let n = 0; n < 4; n++) processed[`evt_${i}_${n}_abcdefgh`] = true; sessions.set(i, new Session(i)); };
