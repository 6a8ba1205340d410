'use strict';
// Caches that are bounded: what healthy services have.

// The harness scales the bounds with the work of a round, so that small recordings have full caches too.
const bounds = { scale: 1 };

class LruCache {
  constructor(max) {
    this.max = Math.ceil(max * bounds.scale);
    this.entries = new Map();
  }
  get(key) {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }
  set(key, value) {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.max) this.entries.delete(this.entries.keys().next().value);
  }
}

class RingBuffer {
  constructor(size) {
    this.slots = new Array(Math.ceil(size * bounds.scale)).fill(null);
    this.next = 0;
  }
  push(value) {
    this.slots[this.next % this.slots.length] = value;
    this.next += 1;
  }
}

class RenderedPage {
  constructor(id) {
    this.id = id;
    this.html = `<article data-id="${id}">${'lorem ipsum '.repeat(20)}${id}</article>`;
    this.links = [`/p/${id}`, `/p/${id}/edit`];
  }
}

class Session {
  constructor(id) {
    this.id = `session-${id}`;
    this.user = { name: `user-${id}`, roles: ['reader', `group-${id % 50}`] };
    this.seen = new Date(1700000000000 + id);
  }
}

module.exports = { bounds, LruCache, RingBuffer, RenderedPage, Session };
