'use strict';
// A timer started inside a request keeps the request's AsyncLocalStorage store for an hour.
const { AsyncLocalStorage } = require('async_hooks');
const { LruCache, Session } = require('./lib/caches');

const requestContext = new AsyncLocalStorage();
const sessions = new LruCache(1500);

class EntityManager { // @class EntityManager
  constructor(i) {
    this.identityMap = new Map([[`user:${i}`, { id: i, name: `user ${i}` }], [`article:${i}`, { id: i, text: `text ${i}`.repeat(6) }]]);
  }
}

let hits = 0;
function throttle() {
  hits += 1;
  setTimeout(function forgetHit() { // @holder requestContext
    hits -= 1;
  }, 3600000);
}

exports.work = (i) => {
  requestContext.run({ requestId: `r-${i}`, em: new EntityManager(i) }, () => { // @holder requestContext
    throttle();
    sessions.set(i, new Session(i));
  });
};
