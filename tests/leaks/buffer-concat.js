'use strict'; // One buffer that is joined with each chunk.
const { LruCache, RenderedPage } = require('./lib/caches');
const pages = new LruCache(1500);
let backlog = Buffer.alloc(0); // @holder backlog
exports.work = (i) => { if (i % 10 === 0) backlog = Buffer.concat([backlog, Buffer.alloc(4096, i % 256)]); pages.set(i, new RenderedPage(i)); };
