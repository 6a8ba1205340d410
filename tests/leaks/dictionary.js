'use strict';
// A plain object used as a dictionary, keyed by request id, never deleted from.
const { LruCache, Session } = require('./lib/caches');

const inflight = {}; // @holder inflight
const sessions = new LruCache(1500);

class Job { // @class Job
  constructor(id) {
    this.id = id;
    this.payload = { text: `payload of ${id} `.repeat(6) };
  }
}

exports.work = (i) => {
  const id = `req-${i.toString(36)}-${i}`;
  inflight[id] = new Job(id);
  sessions.set(i, new Session(i));
};
