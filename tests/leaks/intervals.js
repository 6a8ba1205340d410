'use strict';
// A heartbeat per connection that nobody clears.
const { LruCache, Session } = require('./lib/caches');

const sessions = new LruCache(1500);

class Connection {
  constructor(i) {
    this.id = i;
    this.outbox = [`hello ${i}`.repeat(10)];
    this.beats = 0;
    this.start();
  }
  start() {
    setInterval(() => { // @holder intervals.js:15
      this.beats += 1;
    }, 3600000);
  }
}

exports.work = (i) => {
  const connection = new Connection(i);
  sessions.set(connection.id, new Session(i));
};
