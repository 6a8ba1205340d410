'use strict';
// Control for three: a cache that fills in the first two rounds and is full then. @steady @filling
const { LruCache, RenderedPage } = require('./lib/caches');
const pages = new LruCache(2600);
exports.work = (i) => { pages.set(i, new RenderedPage(i)); };
