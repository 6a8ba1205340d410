'use strict';
// Control: big caches, full from the first round on, all bounded. @steady
const { LruCache, RingBuffer, RenderedPage, Session } = require('./lib/caches');

const pages = new LruCache(1200);
const sessions = new LruCache(1400);
const recent = new RingBuffer(1000);

exports.work = (i) => {
  pages.set(i, new RenderedPage(i));
  sessions.set(i, new Session(i));
  recent.push({ at: `t${i}`, text: `recent ${i} `.repeat(4) });
};
