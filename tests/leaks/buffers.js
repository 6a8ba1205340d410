'use strict';
// Small JavaScript objects, big bytes outside the heap.
const { LruCache, RenderedPage } = require('./lib/caches');

const uploadChunks = []; // @holder uploadChunks
const pages = new LruCache(1500);

exports.work = (i) => {
  if (i % 5 === 0) uploadChunks.push(Buffer.alloc(16384, i % 256));
  pages.set(i, new RenderedPage(i));
};
