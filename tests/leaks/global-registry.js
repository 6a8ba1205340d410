'use strict';
// A list on globalThis, as some instrumentation leaves behind.
const { LruCache, Session } = require('./lib/caches');

globalThis.__spans = []; // @holder __spans
const sessions = new LruCache(1500);

class Span { // @class Span
  constructor(i) {
    this.name = `GET /articles/${i}`;
    this.attributes = { route: '/articles/:id', id: `${i}`, note: `span ${i} `.repeat(4) };
  }
}

exports.work = (i) => {
  globalThis.__spans.push(new Span(i));
  sessions.set(i, new Session(i));
};
