'use strict'; // `Promise.race` with a promise that never settles adds a reaction each time.
const { LruCache, Session } = require('./lib/caches');
const sessions = new LruCache(1500);
const shutdownSignal = new Promise(() => {}); // @holder shutdownSignal
exports.work = async (i) => { const r = { id: i, body: `body ${i} `.repeat(8) }; await Promise.race([shutdownSignal, Promise.resolve(r)]); sessions.set(i, new Session(i)); };
