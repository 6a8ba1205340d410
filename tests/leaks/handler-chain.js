'use strict';
// On every reload the handler is wrapped once more: closures that keep the one before.
const { LruCache, Session } = require('./lib/caches');

const sessions = new LruCache(1500);
let onMessage = function base(message) { // @holder onMessage
  return message;
};

function addTracing(i) {
  const inner = onMessage;
  const label = `trace ${i} `.repeat(10);
  onMessage = function traced(message) { // @holder onMessage
    return label.length > 0 && message === null ? inner(message) : message;
  };
}

exports.work = (i) => {
  addTracing(i);
  onMessage(i);
  sessions.set(i, new Session(i));
};
