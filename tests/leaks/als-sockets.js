'use strict';
// Connections to a feed are opened inside a request and stay open: each keeps the request's AsyncLocalStorage store.
const net = require('net');
const { AsyncLocalStorage } = require('async_hooks');
const { LruCache, Session } = require('./lib/caches');

const requestContext = new AsyncLocalStorage(); // @holder requestContext
const sessions = new LruCache(1200);
const server = net.createServer((socket) => socket.on('error', () => {}));
const listening = new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

class EntityManager { // @class EntityManager
  constructor(i) {
    this.identityMap = new Map([[`user:${i}`, { id: i, name: `user ${i}` }], [`article:${i}`, { id: i, text: `text ${i}`.repeat(60) }]]);
  }
}

exports.perRound = 250;
exports.work = async (i) => {
  await listening;
  for (let n = 0; n < 6; n++) sessions.set(i * 6 + n, new Session(i * 6 + n));
  await requestContext.run({ requestId: `r-${i}`, em: new EntityManager(i) }, // @holder requestContext
    () => new Promise((resolve, reject) => {
      const feed = net.connect(server.address().port, '127.0.0.1', resolve);
      feed.on('error', reject);
    }));
};
