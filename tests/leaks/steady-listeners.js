'use strict';
// Control: listeners, timers and promises that come and go as they should. @steady
const { EventEmitter, once } = require('events');
const { LruCache, RenderedPage } = require('./lib/caches');

const bus = new EventEmitter();
const pages = new LruCache(1200);

exports.perRound = 1300;
exports.work = async (i) => {
  const done = once(bus, 'done');
  const timer = setTimeout(() => {}, 3600000);
  bus.emit('done', i);
  await done;
  clearTimeout(timer);
  pages.set(i, new RenderedPage(i));
};
