'use strict';
// Home-made request tracking: async ids are noted at init and only promises that are destroyed would be forgotten.
const asyncHooks = require('async_hooks');
const { LruCache, RenderedPage } = require('./lib/caches');

const contexts = new Map(); // @holder contexts
const pages = new LruCache(900);
let current = null;

asyncHooks
  .createHook({
    init(asyncId, type) {
      if (type === 'PROMISE' && current) contexts.set(asyncId, current);
    },
  })
  .enable();

exports.work = async (i) => {
  current = { requestId: `r-${i}`, user: `user-${i}`, tags: [`tag ${i} `.repeat(5)] };
  await null;
  current = null;
  pages.set(i, new RenderedPage(i));
};
