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

function noop() {}
function throttle() {
  setTimeout(noop, 3600000); // @holder requestContext
}

exports.work = (i) => {
  requestContext.run({ requestId: `r-${i}`, em: new EntityManager(i) }, () => { // @holder requestContext
    throttle();
    sessions.set(i, new Session(i));
  });
};
