'use strict'; // A map from number to number: its entries are invisible.
const { LruCache, RenderedPage } = require('./lib/caches');
const pages = new LruCache(1500);
const lastSeen = new Map(); // @holder lastSeen
exports.work = (i) => { for (let n = 0; n < 10; n++) lastSeen.set(i * 10 + n, i); pages.set(i, new RenderedPage(i)); };
