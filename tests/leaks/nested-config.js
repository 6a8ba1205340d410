'use strict'; // A list two plain objects below the variable.
const { LruCache, RenderedPage } = require('./lib/caches');
const state = { metrics: { recent: [] }, pages: new LruCache(1000) }; // @holder recent
exports.work = (i) => { state.metrics.recent.push({ route: `/r/${i}`, ms: `${i}ms`, tags: [`t${i}`, 'x'.repeat(30) + i] }); state.pages.set(i, new RenderedPage(i)); };
