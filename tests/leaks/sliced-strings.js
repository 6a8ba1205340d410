'use strict';
// Twenty characters cut out of each document keep the whole document.
const { LruCache, RenderedPage } = require('./lib/caches');

const titles = new Map(); // @holder titles
const pages = new LruCache(1500);

exports.work = (i) => {
  pages.set(i, new RenderedPage(i));
  if (i % 10) return;
  const document = Buffer.alloc(8192, 97 + (i % 26)).toString('latin1') + i;
  titles.set(i, document.slice(100, 130));
};
