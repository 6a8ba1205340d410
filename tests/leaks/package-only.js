'use strict'; // A package keeps the records; the app only calls it.
const store = require('throttle-store'); // @holder store
const { LruCache, Session } = require('./lib/caches');
const sessions = new LruCache(1500);
exports.work = (i) => { store.hit(`10.0.${i >> 8}.${i & 255}`, i); sessions.set(i, new Session(i)); };
