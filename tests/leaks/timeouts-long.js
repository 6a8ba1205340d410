'use strict';
// A rate limiter that keeps each request for a day in a timer's closure.
const { LruCache, RenderedPage } = require('./lib/caches');

const hits = new Map();
const pages = new LruCache(1000);

function increment(request) {
  const key = request.ip;
  hits.set(key, (hits.get(key) || 0) + 1);
  setTimeout(function expireHit() { // @holder expireHit
    hits.set(key, hits.get(key) - 1);
    request.done = true;
  }, 86400000);
}

exports.work = (i) => {
  const request = { ip: `10.0.0.${i % 200}`, url: `/content/${i}`, headers: { agent: `agent-${i}`, body: 'x'.repeat(40) + i } };
  increment(request);
  pages.set(i, new RenderedPage(i));
};
