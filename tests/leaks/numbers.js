'use strict'; // An array of numbers: no member is visible in a snapshot, only the array grows.
const { LruCache, RenderedPage } = require('./lib/caches');
const pages = new LruCache(1500);
const latencies = []; // @holder latencies
exports.work = (i) => { for (let n = 0; n < 40; n++) latencies.push(i * 40 + n); pages.set(i, new RenderedPage(i)); };
