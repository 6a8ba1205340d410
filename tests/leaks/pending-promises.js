'use strict';
// Waiting for a connection that never comes: each caller adds a reaction to one promise.
const { LruCache, Session } = require('./lib/caches');

const sessions = new LruCache(1500);
const brokerReady = new Promise(() => {}); // @holder brokerReady

function publish(message) {
  return brokerReady.then(function send() {
    return message.id;
  });
}

exports.work = (i) => {
  publish({ id: i, topic: `topic-${i}`, payload: `payload ${i} `.repeat(8) });
  sessions.set(i, new Session(i));
};
